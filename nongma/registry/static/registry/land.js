/** Land on a map: its layers, its area, and whether its border crosses itself. */

const EQUATOR_METRES = 6378137;
const FLATTENING = 1 / 298.257222101;
const EXCENTRICITY = Math.sqrt(FLATTENING * (2 - FLATTENING));
const SQUARE_METRES_PER_MU = 10000 / 15;
const GREEN = "#1b7a4b";

function height(latitude) {
    const sine = Math.sin((latitude * Math.PI) / 180);
    const part = EXCENTRICITY * sine;
    return (1 - EXCENTRICITY ** 2) * (sine / (1 - part ** 2) + Math.atanh(part) / EXCENTRICITY);
}

/** The area in 亩 inside corners that are not closed; as `square_metres` of lib/outlines.py measures it. */
export function muOf(corners) {
    const east = (corner) => ((corner[0] - corners[0][0]) * Math.PI) / 180;
    const north = (corner) => height(corner[1]) - height(corners[0][1]);
    let twice = 0;
    corners.forEach((corner, index) => {
        const next = corners[(index + 1) % corners.length];
        twice += east(corner) * north(next) - east(next) * north(corner);
    });
    return ((Math.abs(twice) / 4) * EQUATOR_METRES ** 2) / SQUARE_METRES_PER_MU;
}

function side(a, b, c) {
    return Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

/** Whether two sides that are not neighbours cross. */
export function isCrossed(corners) {
    const count = corners.length;
    for (let one = 0; one < count; one++) {
        for (let other = one + 2; other < count; other++) {
            const [a, b] = [corners[one], corners[(one + 1) % count]];
            const [c, d] = [corners[other], corners[(other + 1) % count]];
            const neighbours = one === 0 && other === count - 1;
            if (!neighbours && side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) {
                return true;
            }
        }
    }
    return false;
}

/** A source with fill and border, under the name `id`. */
export function addLand(map, id, data, color = GREEN, dash = null) {
    map.addSource(id, { type: "geojson", data });
    map.addLayer({ id: `${id}-fill`, type: "fill", source: id, paint: { "fill-color": color, "fill-opacity": 0.15 } });
    const paint = { "line-color": color, "line-width": 2 };
    map.addLayer({ id: `${id}-line`, type: "line", source: id, paint: dash ? { ...paint, "line-dasharray": dash } : paint });
}

/** West, south, east and north of GeoJSON coordinates, however deep. */
export function boundsOf(coordinates) {
    const flat = coordinates.flat(Infinity);
    const xs = flat.filter((_, index) => index % 2 === 0);
    const ys = flat.filter((_, index) => index % 2 === 1);
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

export function collection(features) {
    return { type: "FeatureCollection", features };
}
