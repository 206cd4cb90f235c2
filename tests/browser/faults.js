/** What is wrong with the page as it stands, as a list of lines; run by checks.py inside the browser. */
({ phone, tap, contrast }) => {
    const faults = [];
    const root = document.documentElement;
    const name = (element) => {
        const text = (element.innerText || element.value || element.name || "").trim().slice(0, 30);
        return `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") || ""}"> ${text}`;
    };
    const visible = (element) => {
        const box = element.getBoundingClientRect();
        const style = getComputedStyle(element);
        return element.checkVisibility() && box.width > 1 && box.height > 1 && style.visibility === "visible" && style.opacity !== "0"
            && !element.closest("[inert], [hidden], .visually-hidden, .maplibregl-map");
    };

    if (root.scrollWidth > root.clientWidth) {
        const wide = [...document.body.querySelectorAll("*")].filter((element) =>
            visible(element) && element.getBoundingClientRect().right > root.clientWidth + 1);
        faults.push(`wider than the screen: ${root.scrollWidth} > ${root.clientWidth}: ${wide.slice(0, 3).map(name)}`);
    }

    for (const control of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
        const labelled = control.labels?.length || control.getAttribute("aria-label")
            || control.getAttribute("aria-labelledby") || control.title;
        if (visible(control) && !labelled) {
            faults.push(`no label: ${name(control)}`);
        }
    }
    for (const element of document.querySelectorAll("a[href], button")) {
        const label = element.innerText.trim() || element.getAttribute("aria-label") || element.title
            || element.querySelector("img[alt]:not([alt=''])")?.alt || element.getAttribute("aria-labelledby");
        if (visible(element) && !label) {
            faults.push(`no name: ${name(element)}`);
        }
    }
    for (const image of document.querySelectorAll("img:not([alt])")) {
        faults.push(`no alt: ${image.src}`);
    }
    if (document.querySelectorAll("h1").length !== 1) {
        faults.push(`${document.querySelectorAll("h1").length} h1`);
    }
    if (document.querySelectorAll("main").length !== 1) {
        faults.push("not one main");
    }
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
    if (twice.length) {
        faults.push(`ids used twice: ${[...new Set(twice)]}`);
    }

    if (phone) {
        const targets = "button, .btn, select, input:not([type=hidden], [type=checkbox], [type=radio]), .tabbar a, .task";
        for (const element of document.querySelectorAll(targets)) {
            const box = element.getBoundingClientRect();
            if (visible(element) && (box.height < tap || box.width < tap)) {
                faults.push(`small to tap (${Math.round(box.width)}×${Math.round(box.height)}): ${name(element)}`);
            }
        }
        for (const box of document.querySelectorAll("input[type=checkbox], input[type=radio]")) {
            const around = (box.closest("label") || box.labels?.[0] || box).getBoundingClientRect();
            if (visible(box) && around.height < tap && box.getBoundingClientRect().height < 20) {
                faults.push(`small to tap (${Math.round(around.height)} high): ${name(box)}`);
            }
        }
    }

    const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const colour = (text) => {
        const found = text.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/);
        return found && [Number(found[1]), Number(found[2]), Number(found[3]), found[4] === undefined ? 1 : Number(found[4])];
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const style = getComputedStyle(at);
            const found = colour(style.backgroundColor);
            if (style.backgroundImage !== "none" || !found) {
                return null;
            }
            if (found[3] === 1) {
                return found;
            }
            if (found[3] > 0) {
                return null;
            }
        }
        return [255, 255, 255, 1];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const seen = new Set();
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || seen.has(element) || !visible(element) || element.closest("svg, :disabled")) {
            continue;
        }
        seen.add(element);
        const ink = colour(getComputedStyle(element).color);
        const paper = behind(element);
        if (!ink || ink[3] !== 1 || !paper) {
            continue;
        }
        const [light, dark] = [luminance(ink), luminance(paper)].sort((one, other) => other - one);
        const ratio = (light + 0.05) / (dark + 0.05);
        const size = parseFloat(getComputedStyle(element).fontSize);
        if (ratio < (size >= 24 ? 3 : contrast)) {
            faults.push(`contrast ${ratio.toFixed(1)}: ${name(element)}`);
        }
        if (size < 12) {
            faults.push(`type of ${size}px: ${name(element)}`);
        }
    }
    return faults;
}
