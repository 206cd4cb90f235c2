/** The small map of one record. */

import { createMap } from "../regions/basemap.js";

const element = document.querySelector("[data-origin-map]");
const place = [Number(element.dataset.longitude), Number(element.dataset.latitude)];
/** Points of the records that the doubts name. */
const others = (element.dataset.others ?? "")
    .split(" ")
    .filter(Boolean)
    .map((point) => point.split(",").map(Number));

createMap(element, { center: place, zoom: 10, scrollZoom: false })
    .then(({ map, maplibre }) => {
        new maplibre.Marker({ color: "#1b7a4b" }).setLngLat(place).addTo(map);
        for (const other of others) {
            new maplibre.Marker({ color: "#b06f00", scale: 0.8 }).setLngLat(other).addTo(map);
        }
        if (others.length > 0) {
            const bounds = others.reduce((all, other) => all.extend(other), new maplibre.LngLatBounds(place, place));
            map.fitBounds(bounds, { padding: 50, maxZoom: 16, animate: false });
        }
        element.dataset.ready = "1";
    })
    .catch(() => element.parentElement.remove());
