/** The map under every map: boundaries from our own files, names drawn with the browser's fonts, no network needed.
 *
 * Provinces show at once, cities from zoom 5. From zoom 7 the counties of the provinces in view take their place,
 * which are drawn more finely: where a province's counties are there, nothing coarser is, so that no border stands
 * twice. A 天地图 key adds its layers on top of the fill.
 */

const BOUNDARIES = "/regions/boundaries/";
const CITIES_FROM = 5;
const COUNTIES_FROM = 7;
const FONT = ["Noto Sans SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
const LAND = "#fbfcfa";
const SEA = "#dfeaf0";
const BORDER = "#8fa39a";

const WORDS = {
    "NavigationControl.ZoomIn": "放大",
    "NavigationControl.ZoomOut": "缩小",
    "NavigationControl.ResetBearing": "转回正北",
    "GeolocateControl.FindMyLocation": "我的位置",
    "GeolocateControl.LocationNotAvailable": "无法取得位置",
    "AttributionControl.ToggleAttribution": "数据来源",
    "FullscreenControl.Enter": "全屏",
    "FullscreenControl.Exit": "退出全屏",
    "Map.Title": "地图",
    "Marker.Title": "位置",
    "Popup.Close": "关闭",
    "ScaleControl.Meters": "米",
    "ScaleControl.Kilometers": "公里",
};

function source(name) {
    return { type: "geojson", data: `${BOUNDARIES}${name}.geojson`, tolerance: 0.2, promoteId: "code" };
}

/** Only those of a layer whose counties are not on the map: `provinces` are the first two digits of codes. */
function without(provinces) {
    const province = ["slice", ["to-string", ["get", "code"]], 0, 2];
    return ["!", ["in", province, ["literal", provinces]]];
}

function outline(id, from, width, dash) {
    const paint = { "line-color": BORDER, "line-width": width };
    if (dash) {
        paint["line-dasharray"] = dash;
    }
    return { id: `${id}-line`, type: "line", source: id, minzoom: from, paint };
}

/** A layer in two: as it is up to the counties' zoom, and from there for the provinces whose counties are missing. */
function coarse(layer) {
    return [
        { ...layer, maxzoom: COUNTIES_FROM },
        { ...layer, id: `${layer.id}-near`, minzoom: COUNTIES_FROM, filter: without([]) },
    ];
}

function names(id, from, to, size) {
    return {
        id: `${id}-name`,
        type: "symbol",
        source: id,
        minzoom: from,
        maxzoom: to,
        layout: { "text-field": ["get", "name"], "text-size": size, "text-font": FONT, "text-padding": 8 },
        paint: { "text-color": "#4f5f58", "text-halo-color": "#fff", "text-halo-width": 1.5 },
    };
}

function tianditu(key, kind) {
    const hosts = [0, 1, 2, 3, 4, 5, 6, 7];
    const query = `SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=${kind}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles`;
    return {
        type: "raster",
        tileSize: 256,
        maxzoom: 18,
        attribution: "天地图",
        tiles: hosts.map(
            (host) =>
                `https://t${host}.tianditu.gov.cn/${kind}_w/wmts?${query}&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=${key}`,
        ),
    };
}

function style(key) {
    const sources = { provinces: source("provinces"), cities: source("cities"), line: source("line") };
    const layers = [
        { id: "sea", type: "background", paint: { "background-color": SEA } },
        ...coarse({ id: "land", type: "fill", source: "provinces", paint: { "fill-color": LAND } }),
    ];
    if (key) {
        for (const kind of ["vec", "cva"]) {
            sources[kind] = tianditu(key, kind);
            layers.push({ id: kind, type: "raster", source: kind });
        }
    }
    layers.push(
        ...coarse(outline("cities", CITIES_FROM, 0.6, [3, 2])),
        ...coarse(outline("provinces", 0, 1.1)),
        outline("line", 0, 1.6),
        names("provinces", 2.5, CITIES_FROM + 0.5, 13),
        names("cities", CITIES_FROM + 0.5, COUNTIES_FROM + 1.5, 12),
    );
    return { version: 8, sources, layers };
}

/** Add the counties of the provinces that are in view, once each. */
function addCounties(map) {
    if (map.getZoom() < COUNTIES_FROM) {
        return;
    }
    for (const { properties } of map.queryRenderedFeatures({ layers: ["land-near"] })) {
        const id = `counties-${String(properties.code).slice(0, 2)}`;
        if (properties.code && !map.getSource(id)) {
            map.addSource(id, source(id));
            const fill = { id: `${id}-land`, type: "fill", source: id, minzoom: COUNTIES_FROM };
            map.addLayer({ ...fill, paint: { "fill-color": LAND } }, map.getLayer("vec") ? "vec" : "cities-line");
            map.addLayer(outline(id, COUNTIES_FROM, 0.8), "cities-line");
            map.addLayer(names(id, COUNTIES_FROM + 1.5, 24, 12), "provinces-name");
        }
    }
}

/** Take a province's coarse fill and borders away once its counties are on the map. */
function replaceCoarse(map, shown, id) {
    shown.add(id.slice(-2));
    for (const layer of ["land-near", "cities-line-near", "provinces-line-near"]) {
        map.setFilter(layer, without([...shown]));
    }
}

/** A map in `element`, whose data-maplibre names the library; resolves when its style is there. */
export async function createMap(element, options = {}) {
    const maplibre = await import(element.dataset.maplibre);
    const bounds = element.dataset.bounds?.split(",").map(Number);
    const map = new maplibre.Map({
        container: element,
        style: style(element.dataset.tianditu),
        bounds: bounds?.length === 4 ? bounds : undefined,
        fitBoundsOptions: { padding: 24, maxZoom: 15 },
        minZoom: 2,
        maxZoom: 18,
        dragRotate: false,
        pitchWithRotate: false,
        touchPitch: false,
        renderWorldCopies: false,
        attributionControl: false,
        locale: WORDS,
        cooperativeGestures: false,
        ...options,
    });
    map.touchZoomRotate.disableRotation();
    map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
    map.addControl(new maplibre.ScaleControl(), "bottom-left");
    await new Promise((resolve) => map.once("load", resolve));
    const shown = new Set();
    map.on("idle", () => addCounties(map));
    map.on("sourcedata", ({ sourceId, sourceDataType }) => {
        const isCounties = sourceId?.startsWith("counties-") && sourceDataType !== "metadata";
        if (isCounties && !shown.has(sourceId.slice(-2)) && map.isSourceLoaded(sourceId)) {
            replaceCoarse(map, shown, sourceId);
        }
    });
    return { map, maplibre };
}
