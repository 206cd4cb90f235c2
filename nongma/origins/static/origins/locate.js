/** Finding the point of a field: by the phone's own position, by a tap on the map, or by typing. */

import { createMap } from "../regions/basemap.js";

const form = document.querySelector("[data-locate]");
const element = form.querySelector("[data-origin-map]");
const said = form.querySelector("[data-said]");
const longitude = form.querySelector("#id_longitude");
const latitude = form.querySelector("#id_latitude");
const GOOD_METRES = 30;
const FAILURES = { 1: "没有定位权限，请在浏览器设置里允许", 2: "现在定不了位，请走到空旷处再试", 3: "定位太慢，请再试一次" };
let marker = null;

function fill(place) {
    longitude.value = place[0].toFixed(6);
    latitude.value = place[1].toFixed(6);
    marker?.(place, false);
}

form.querySelector("[data-here]").addEventListener("click", () => {
    if (!navigator.geolocation) {
        said.textContent = "这台设备不能定位，请在图上点选或直接填写";
        return;
    }
    said.textContent = "正在定位……";
    navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
            fill([coords.longitude, coords.latitude]);
            marker?.([coords.longitude, coords.latitude], true);
            const metres = Math.round(coords.accuracy);
            said.textContent =
                metres > GOOD_METRES ? `误差约 ${metres} 米，偏大，请走到空旷处再试` : `已定位，误差约 ${metres} 米`;
        },
        (failure) => (said.textContent = FAILURES[failure.code] ?? FAILURES[2]),
        { enableHighAccuracy: true, timeout: 20000, maximumAge: 0 },
    );
});

createMap(element)
    .then(({ map, maplibre }) => {
        const pin = new maplibre.Marker({ color: "#1b7a4b", draggable: true });
        marker = (place, move) => {
            pin.setLngLat(place).addTo(map);
            if (move) {
                map.jumpTo({ center: place, zoom: 15 });
            }
        };
        map.on("click", (event) => fill(event.lngLat.toArray()));
        pin.on("dragend", () => fill(pin.getLngLat().toArray()));
        const typed = [Number(longitude.value), Number(latitude.value)];
        if (longitude.value && latitude.value && typed.every(Number.isFinite)) {
            marker(typed, true);
        }
        for (const input of [longitude, latitude]) {
            input.addEventListener("change", () => {
                const place = [Number(longitude.value), Number(latitude.value)];
                if (place.every((part) => part)) {
                    marker(place, true);
                }
            });
        }
        element.dataset.ready = "1";
    })
    .catch(() => element.remove());
