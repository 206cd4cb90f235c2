/** Finding a point: by the phone's own position, by a tap on the map, or by typing; and noting which of them it was. */

import { createMap } from "../regions/basemap.js";

const GOOD_METRES = 30;
const FAILURES = { 1: "没有定位权限，请在浏览器设置里允许", 2: "现在定不了位，请走到空旷处再试", 3: "定位太慢，请再试一次" };
const ASKED = { enableHighAccuracy: true, timeout: 20000, maximumAge: 0 };

/** Makes the point of `form` work; resolves to a function that shows a county's bounds on the map. */
export function findPoint(form) {
    const element = form.querySelector("[data-origin-map]");
    const said = form.querySelector("[data-said]");
    const { longitude, latitude, located_with, accuracy_m, device_longitude, device_latitude } = form.elements;
    let marker = null;

    function place() {
        const typed = [Number(longitude.value), Number(latitude.value)];
        return longitude.value && latitude.value && typed.every(Number.isFinite) ? typed : null;
    }

    function found(way, metres = "") {
        if (located_with) {
            located_with.value = way;
            accuracy_m.value = metres;
        }
        form.dispatchEvent(new Event("input", { bubbles: true }));
    }

    function device(coords) {
        if (device_longitude) {
            device_longitude.value = coords.longitude.toFixed(6);
            device_latitude.value = coords.latitude.toFixed(6);
        }
    }

    function fill([x, y]) {
        longitude.value = x.toFixed(6);
        latitude.value = y.toFixed(6);
        for (const input of [longitude, latitude]) {
            input.classList.remove("is-invalid");
        }
        marker?.([x, y], false);
    }

    /** Where the phone is while somebody taps on the map: only if it may be asked without a question. */
    async function whereAbouts() {
        const state = await navigator.permissions?.query({ name: "geolocation" }).catch(() => null);
        if (state?.state === "granted") {
            navigator.geolocation.getCurrentPosition(({ coords }) => device(coords), () => {}, ASKED);
        }
    }

    function tapped(where) {
        fill(where);
        found("map");
        said.textContent = "已在图上点出位置";
        whereAbouts();
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
                device(coords);
                found("device", coords.accuracy.toFixed(1));
                marker?.([coords.longitude, coords.latitude], true);
                const metres = Math.round(coords.accuracy);
                said.textContent =
                    metres > GOOD_METRES ? `误差约 ${metres} 米，偏大，请走到空旷处再试` : `已定位，误差约 ${metres} 米`;
            },
            (failure) => (said.textContent = FAILURES[failure.code] ?? FAILURES[2]),
            ASKED,
        );
    });
    for (const input of [longitude, latitude]) {
        input.addEventListener("change", () => {
            found("typed");
            if (place()) {
                marker?.(place(), true);
            }
        });
    }

    return createMap(element)
        .then(({ map, maplibre }) => {
            const pin = new maplibre.Marker({ color: "#1b7a4b", draggable: true });
            marker = (where, move) => {
                pin.setLngLat(where).addTo(map);
                if (move) {
                    map.jumpTo({ center: where, zoom: 15 });
                }
            };
            map.on("click", (event) => tapped(event.lngLat.toArray()));
            pin.on("dragend", () => tapped(pin.getLngLat().toArray()));
            if (place()) {
                marker(place(), true);
            }
            element.dataset.ready = "1";
            return (bounds) => !place() && map.fitBounds(bounds, { padding: 24, animate: false });
        })
        .catch(() => {
            element.remove();
            return () => {};
        });
}
