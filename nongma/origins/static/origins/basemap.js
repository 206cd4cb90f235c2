/** The map under every map: boundaries from our own files, names drawn with the browser's fonts, no network needed.
 *
 * Provinces show at once, cities from zoom 5, counties from zoom 7 for the provinces in view. A 天地图 key adds its
 * layers on top of the fill.
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

function outline(id, from, width, dash) {
    const paint = { "line-color": BORDER, "line-width": width };
    if (dash) {
        paint["line-dasharray"] = dash;
    }
    return { id: `${id}-line`, type: "line", source: id, minzoom: from, paint };
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
        { id: "land", type: "fill", source: "provinces", paint: { "fill-color": LAND } },
    ];
    if (key) {
        for (const kind of ["vec", "cva"]) {
            sources[kind] = tianditu(key, kind);
            layers.push({ id: kind, type: "raster", source: kind });
        }
    }
    layers.push(
        outline("cities", CITIES_FROM, 0.6, [3, 2]),
        outline("provinces", 0, 1.1),
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
    for (const { properties } of map.queryRenderedFeatures({ layers: ["land"] })) {
        const id = `counties-${String(properties.code).slice(0, 2)}`;
        if (properties.code && !map.getSource(id)) {
            map.addSource(id, source(id));
            map.addLayer(outline(id, COUNTIES_FROM, 0.5, [2, 2]), "cities-line");
            map.addLayer(names(id, COUNTIES_FROM + 1.5, 24, 12), "provinces-name");
        }
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
    map.on("idle", () => addCounties(map));
    return { map, maplibre };
}
