/** 一张图: clusters of origins that open into points, over the boundaries. */

import { createMap } from "./basemap.js";

const element = document.getElementById("map");
const note = document.querySelector("[data-note]");
const query = element.dataset.query;
const DEEPEST_TILES = 16;
const GRID = 16; // a tile is drawn 512 pixels wide: clusters stand 32 pixels apart or more
const FONT = ["Noto Sans SC", "sans-serif"];
const IS_POINT = ["all", ["==", ["get", "count"], 1], ["has", "id"]];
const STATES = ["match", ["get", "state"], "approved", "#1b7a4b", "returned", "#b3261e", "#1f5f99"];

function layers() {
    const radius = ["interpolate", ["linear"], ["ln", ["get", "count"]], 0, 9, 4.6, 14, 9.2, 20, 13.8, 26];
    return [
        {
            id: "clusters",
            type: "circle",
            source: "origins",
            "source-layer": "origins",
            filter: ["!", IS_POINT],
            layout: { "circle-sort-key": ["get", "count"] },
            paint: {
                "circle-color": "#1b7a4b",
                "circle-opacity": 0.82,
                "circle-radius": radius,
                "circle-stroke-color": "#fff",
                "circle-stroke-width": 1.5,
            },
        },
        {
            id: "counts",
            type: "symbol",
            source: "origins",
            "source-layer": "origins",
            filter: ["!", IS_POINT],
            layout: {
                "text-field": [
                    "case",
                    [">=", ["get", "count"], 10000],
                    ["concat", ["number-format", ["/", ["get", "count"], 10000], { "max-fraction-digits": 1 }], "万"],
                    ["to-string", ["get", "count"]],
                ],
                "text-size": 12,
                "text-font": FONT,
                "symbol-sort-key": ["-", 0, ["get", "count"]],
            },
            paint: { "text-color": "#fff", "text-halo-color": "#0f5a34", "text-halo-width": 1 },
        },
        {
            id: "points",
            type: "circle",
            source: "origins",
            "source-layer": "origins",
            filter: IS_POINT,
            paint: {
                "circle-color": STATES,
                "circle-radius": 7,
                "circle-stroke-color": "#fff",
                "circle-stroke-width": 2,
            },
        },
    ];
}

function say(text) {
    note.textContent = text;
    note.hidden = !text;
}

async function open(map, maplibre, feature, lngLat) {
    const { id, cell } = feature.properties;
    const parameters = new URLSearchParams(query);
    parameters.set(id ? "id" : "cell", id ?? cell);
    const answer = await fetch(`${element.dataset.here}?${parameters}`);
    if (!answer.ok) {
        say("没有取到这里的记录，请再点一次");
        return;
    }
    new maplibre.Popup({ maxWidth: "320px", className: "origins-popup" })
        .setLngLat(lngLat)
        .setHTML(await answer.text())
        .addTo(map);
}

async function start() {
    const { map, maplibre } = await createMap(element, { hash: "at" });
    element.map = map;
    const tiles = `${window.location.origin}/tiles/origins/{z}/{x}/{y}.mvt?grid=${GRID}${query ? `&${query}` : ""}`;
    map.addSource("origins", { type: "vector", tiles: [tiles], minzoom: 0, maxzoom: DEEPEST_TILES });
    layers().forEach((layer) => map.addLayer(layer));
    map.addControl(new maplibre.FullscreenControl({ container: element.parentElement }), "top-right");
    map.addControl(new maplibre.GeolocateControl({ positionOptions: { enableHighAccuracy: true } }), "top-right");
    map.on("click", ["clusters", "points"], (event) => {
        const [feature] = event.features;
        const place = feature.geometry.coordinates.slice();
        const isPoint = feature.properties.id !== undefined;
        if (isPoint || map.getZoom() >= DEEPEST_TILES) {
            open(map, maplibre, feature, place);
        } else {
            map.easeTo({ center: place, zoom: Math.min(map.getZoom() + 2, 18) });
        }
    });
    for (const layer of ["clusters", "points"]) {
        map.on("mouseenter", layer, () => (map.getCanvas().style.cursor = "pointer"));
        map.on("mouseleave", layer, () => (map.getCanvas().style.cursor = ""));
    }
    map.on("error", (event) => {
        if (event.sourceId === "origins") {
            say(event.error?.status === 401 ? "登录已过期，请重新登录" : "有些产地没有显示出来，请稍后刷新");
        }
    });
    map.on("idle", () => {
        const shown = map.queryRenderedFeatures({ layers: ["clusters", "points"] }).length;
        say(shown ? "" : "这一片没有符合条件的产地，可以缩小地图或放宽筛选");
        element.dataset.ready = String(shown);
    });
}

start().catch(() => say("浏览器不能显示地图（需要 WebGL），请用“一张表”查看"));
