/** The small map of one record. */

import { createMap } from "../regions/basemap.js";

const element = document.querySelector("[data-origin-map]");
const place = [Number(element.dataset.longitude), Number(element.dataset.latitude)];

createMap(element, { center: place, zoom: 10, scrollZoom: false })
    .then(({ map, maplibre }) => {
        new maplibre.Marker({ color: "#1b7a4b" }).setLngLat(place).addTo(map);
        element.dataset.ready = "1";
    })
    .catch(() => element.parentElement.remove());
