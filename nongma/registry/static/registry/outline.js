/** Drawing the outline of a base or plot: by taps, by walking round it, by dragging corners. The text beside it holds
 * what is drawn, one corner a line, and is drawn when somebody types; GeoJSON with pieces or holes is shown as it is.
 */

import { createMap } from "../regions/basemap.js";
import { addLand, boundsOf, collection, isCrossed, muOf } from "./land.js";

const MOST_CORNERS = 500;
const GOOD_METRES = 15;
const FAILURES = { 1: "没有定位权限，请在浏览器设置里允许", 2: "现在定不了位，请走到空旷处再试", 3: "定位太慢，请再试一次" };
const box = document.querySelector("[data-draw]");
const element = box.querySelector("[data-map]");
const said = box.querySelector("[data-said]");
const text = document.getElementById("id_outline");
const beside = document.getElementById("draw-beside");
const button = (name) => box.querySelector(`[data-${name}]`);

let corners = [];
let pieces = null;
let selected = -1;
let isAdding = true;
let past = [];
let markers = [];
let shown = null;

function parsed(typed) {
    const lines = typed.split("\n").filter((line) => line.trim());
    const found = lines.map((line) => line.trim().split(/[\s,，、;；]+/).map(Number));
    const [first, last] = [found[0], found.at(-1)];
    if (found.length > 1 && first[0] === last[0] && first[1] === last[1]) {
        found.pop();
    }
    return found.every((corner) => corner.length === 2 && corner.every(Number.isFinite)) ? found : null;
}

/** What the text holds: corners, or the coordinates of several pieces. */
function read() {
    pieces = null;
    corners = [];
    const typed = text.value.trim();
    if (typed.startsWith("{")) {
        try {
            const given = JSON.parse(typed);
            pieces = given.geometry ?? given;
            pieces = Array.isArray(pieces.coordinates) ? pieces : null;
        } catch {
            pieces = null;
        }
        return;
    }
    corners = parsed(typed) ?? [];
}

function geometry() {
    if (pieces) {
        return pieces;
    }
    const type = corners.length > 2 ? "Polygon" : "LineString";
    return { type, coordinates: type === "Polygon" ? [[...corners, corners[0]]] : corners };
}

function tell() {
    if (pieces) {
        said.textContent = "这个轮廓有几块地或有空洞，要改请“重新画”，或改下面的文字";
    } else if (corners.length < 3) {
        said.textContent = corners.length ? `${corners.length} 个角，至少要 3 个` : "";
    } else if (isCrossed(corners)) {
        said.textContent = "边线交叉了，请拖动或删掉画错的角";
    } else {
        said.textContent = `${corners.length} 个角，${muOf(corners).toFixed(2)} 亩`;
    }
    button("undo").disabled = !past.length;
    button("drop").disabled = selected < 0;
    button("clear").disabled = !corners.length && !pieces;
    button("finish").hidden = !isAdding || corners.length < 3;
    button("add").setAttribute("aria-pressed", String(isAdding));
}

function draw() {
    if (shown) {
        const { map, maplibre } = shown;
        map.getSource("land").setData(collection([{ type: "Feature", properties: {}, geometry: geometry() }]));
        markers.forEach((marker) => marker.remove());
        markers = corners.map((corner, index) => markerAt(maplibre, map, corner, index));
    }
    tell();
}

function markerAt(maplibre, map, corner, index) {
    const dot = document.createElement("button");
    dot.type = "button";
    dot.className = "draw-corner";
    dot.setAttribute("aria-pressed", String(index === selected));
    const marker = new maplibre.Marker({ element: dot, draggable: true }).setLngLat(corner).addTo(map);
    dot.setAttribute("aria-label", `第 ${index + 1} 个角`);
    dot.addEventListener("click", (event) => {
        event.stopPropagation();
        selected = selected === index ? -1 : index;
        markers.forEach((other, at) => other.getElement().setAttribute("aria-pressed", String(at === selected)));
        tell();
    });
    marker.on("dragend", () => change(corners.with(index, rounded(marker.getLngLat().toArray()))));
    return marker;
}

function rounded(place) {
    return place.map((degrees) => Number(degrees.toFixed(6)));
}

/** Take new corners, keep the old text for 撤销, and write them into the text. */
function change(next, select = -1) {
    past.push(text.value);
    pieces = null;
    corners = next;
    selected = select;
    text.value = corners.map((corner) => corner.map((degrees) => degrees.toFixed(6)).join(",")).join("\n");
    draw();
}

function add(place) {
    if (pieces) {
        said.textContent = "先按“重新画”，再加角";
    } else if (corners.length >= MOST_CORNERS) {
        said.textContent = `最多 ${MOST_CORNERS} 个角`;
    } else {
        change([...corners, rounded(place)]);
    }
}

button("add").addEventListener("click", () => {
    isAdding = !isAdding;
    tell();
});
button("finish").addEventListener("click", () => {
    isAdding = false;
    tell();
});
button("undo").addEventListener("click", () => {
    text.value = past.pop();
    selected = -1;
    read();
    draw();
});
button("drop").addEventListener("click", () => change(corners.toSpliced(selected, 1)));
button("clear").addEventListener("click", () => {
    isAdding = true;
    change([]);
});
button("walk").addEventListener("click", () => {
    if (!navigator.geolocation) {
        said.textContent = "这台设备不能定位，请在图上点";
        return;
    }
    said.textContent = "正在定位……";
    navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
            const place = [coords.longitude, coords.latitude];
            add(place);
            shown?.map.jumpTo({ center: place, zoom: Math.max(shown.map.getZoom(), 16) });
            const metres = Math.round(coords.accuracy);
            if (metres > GOOD_METRES) {
                said.textContent += `；这个角误差约 ${metres} 米，偏大`;
            }
        },
        (failure) => (said.textContent = FAILURES[failure.code] ?? FAILURES[2]),
        { enableHighAccuracy: true, timeout: 20000, maximumAge: 0 },
    );
});
text.addEventListener("change", () => {
    read();
    draw();
    fit();
});
document.addEventListener("located", ({ detail }) => {
    shown?.map.jumpTo({ center: [detail.longitude, detail.latitude], zoom: 16 });
});

function fit() {
    const { coordinates } = geometry();
    if (shown && coordinates.length) {
        shown.map.fitBounds(boundsOf(coordinates), { padding: 32, maxZoom: 17, duration: 0 });
    }
}

box.hidden = false;
read();
tell();
createMap(element)
    .then(({ map, maplibre }) => {
        const others = beside ? JSON.parse(beside.textContent).features : [];
        addLand(map, "beside", collection(others.filter((shape) => shape.geometry.type !== "Point")), "#667085", [3, 2]);
        addLand(map, "land", collection([]));
        shown = { map, maplibre };
        map.on("click", (event) => isAdding && add(event.lngLat.toArray()));
        draw();
        fit();
        element.dataset.ready = "1";
    })
    .catch(() => element.remove());
