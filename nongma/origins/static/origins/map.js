/** 一张图: clusters of origins that open into points, over the boundaries. */

import { createMap } from "../regions/basemap.js";

const element = document.getElementById("map");
const note = document.querySelector("[data-note]");
const retry = note.querySelector("[data-retry]");
const progress = document.querySelector("[data-progress]");
const query = element.dataset.query;
const DEEPEST_TILES = 16;
const GRID = 16; // a tile is drawn 512 pixels wide: clusters stand 32 pixels apart or more
const FONT = ["Noto Sans SC", "sans-serif"];
const IS_POINT = ["all", ["==", ["get", "count"], 1], ["has", "id"]];
const COLOURS = { approved: "#1b7a4b", submitted: "#b26a00", returned: "#b3261e" };
const OPEN = "#66736d";
const TILES = `${window.location.origin}/tiles/origins/{z}/{x}/{y}.mvt?grid=${GRID}${query ? `&${query}` : ""}`;
let failure = "";

/** The colour of the state that a property names; where it names none, `otherwise`. */
function colour(property, otherwise) {
    return ["match", ["get", property], ...Object.entries(COLOURS).flat(), otherwise];
}

function layers() {
    const radius = ["interpolate", ["linear"], ["ln", ["get", "count"]], 0, 9, 4.6, 14, 9.2, 20, 13.8, 26];
    const clusters = { source: "origins", "source-layer": "origins", filter: ["!", IS_POINT] };
    return [
        {
            id: "rings",
            type: "circle",
            ...clusters,
            filter: ["has", "also"],
            layout: { "circle-sort-key": ["get", "count"] },
            paint: {
                "circle-color": "#fff",
                "circle-radius": radius,
                "circle-stroke-color": colour("also", OPEN),
                "circle-stroke-width": 4.5,
            },
        },
        {
            id: "clusters",
            type: "circle",
            ...clusters,
            layout: { "circle-sort-key": ["get", "count"] },
            paint: {
                "circle-color": colour("state", OPEN),
                "circle-radius": radius,
                "circle-stroke-color": "#fff",
                "circle-stroke-width": 1.5,
            },
        },
        {
            id: "counts",
            type: "symbol",
            ...clusters,
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
            paint: { "text-color": "#fff" },
        },
        {
            id: "points",
            type: "circle",
            ...clusters,
            filter: IS_POINT,
            paint: {
                "circle-color": colour("state", OPEN),
                "circle-radius": 7,
                "circle-stroke-color": "#fff",
                "circle-stroke-width": 2,
            },
        },
    ];
}

function say(text, canRetry = false) {
    note.querySelector("[data-said]").textContent = text;
    note.hidden = !text;
    retry.hidden = !canRetry;
}

function fail(text, canRetry = true) {
    failure = text;
    say(text, canRetry);
}

async function open(map, maplibre, feature, lngLat) {
    const { id, cell } = feature.properties;
    const parameters = new URLSearchParams(query);
    parameters.set(id ? "id" : "cell", id ?? cell);
    const answer = await fetch(`${element.dataset.here}?${parameters}`).catch(() => null);
    if (!answer?.ok) {
        say("没有取到这里的记录，请再点一次");
        return;
    }
    say(failure, failure !== "");
    new maplibre.Popup({ maxWidth: "320px", className: "origins-popup" })
        .setLngLat(lngLat)
        .setHTML(await answer.text())
        .addTo(map);
}

/** Put the origins on the map, afresh: a source that failed asks again for what it has given up only when it is new. */
function draw(map) {
    if (map.getSource("origins")) {
        layers().forEach(({ id }) => map.removeLayer(id));
        map.removeSource("origins");
    }
    map.addSource("origins", { type: "vector", tiles: [TILES], minzoom: 0, maxzoom: DEEPEST_TILES });
    layers().forEach((layer) => map.addLayer(layer));
}

/** A line while tiles are on their way, a sentence with 重试 when one does not come. */
function tellProgress(map) {
    map.on("sourcedataloading", ({ sourceId }) => {
        progress.hidden = sourceId !== "origins" && progress.hidden;
    });
    map.on("error", ({ sourceId, error }) => {
        if (error?.status === 401) {
            fail("登录已过期，请重新登录", false);
        } else if (sourceId === "origins") {
            fail("有些产地没有读到，可能是网络断了");
        } else if (sourceId) {
            fail("底图没有读全，可能是网络断了");
        }
    });
    map.on("idle", () => {
        const shown = map.queryRenderedFeatures({ layers: ["clusters", "points"] }).length;
        progress.hidden = true;
        if (!failure) {
            say(shown ? "" : "这一片没有符合条件的产地，可以缩小地图或放宽筛选");
        }
        element.dataset.ready = String(shown);
    });
    retry.addEventListener("click", () => {
        failure = "";
        say("");
        for (const [id, source] of Object.entries(map.getStyle().sources)) {
            if (source.type === "geojson") {
                map.getSource(id).setData(source.data);
            }
        }
        draw(map);
    });
}

async function start() {
    const { map, maplibre } = await createMap(element, { hash: "at" });
    element.map = map;
    tellProgress(map);
    draw(map);
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
}

start().catch(() => say("浏览器不能显示地图（需要 WebGL），请用“一张表”查看"));
