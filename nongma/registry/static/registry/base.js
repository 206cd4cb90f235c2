/** The map on a base's page: its outline, its plots with their names, its point. */

import { createMap } from "../regions/basemap.js";
import { addLand, collection } from "./land.js";

const AMBER = "#b45309";
const FONT = ["Noto Sans SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
const element = document.querySelector("[data-base-map]");
const shapes = JSON.parse(document.getElementById("base-shapes").textContent).features;

function of(kind) {
    return shapes.filter((shape) => shape.properties.kind === kind);
}

createMap(element, { cooperativeGestures: true })
    .then(({ map, maplibre }) => {
        addLand(map, "base", collection(of("base")));
        addLand(map, "plots", collection(of("plot")), AMBER, [3, 2]);
        map.addLayer({
            id: "plots-name",
            type: "symbol",
            source: "plots",
            layout: { "text-field": ["get", "name"], "text-size": 13, "text-font": FONT },
            paint: { "text-color": "#333", "text-halo-color": "#fff", "text-halo-width": 1.5 },
        });
        for (const { geometry } of of("point")) {
            new maplibre.Marker({ color: "#1b7a4b" }).setLngLat(geometry.coordinates).addTo(map);
        }
        element.dataset.ready = "1";
    })
    .catch(() => element.remove());
