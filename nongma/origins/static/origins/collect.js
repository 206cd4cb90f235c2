/** 附件 1 on a phone: finds the operator, shows what the product asks for, saves what is typed, sends photos at once. */

import { findPoint } from "./point.js";

const PAUSE_MS = 800;
const SEARCH_MS = 250;
const MU_PER_SQUARE_METRE = 3 / 2000;

const form = document.querySelector("form[data-collect]");
const fields = form.elements;
const saved = form.querySelector("[data-saved]");
const map = findPoint(form);
let isSending = false;
let timer = 0;

// What is typed

async function save() {
    const body = new FormData(form);
    for (const name of ["operator_text", "product_text"]) {
        body.delete(name);
    }
    body.append("operator_text", fields.operator_text?.value ?? "");
    body.append("product_text", fields.product?.selectedOptions[0]?.text ?? "");
    try {
        const answer = await fetch(form.dataset.draft, { method: "POST", body });
        if (isSending) {
            return;
        }
        if (answer.redirected || !(answer.ok || answer.status === 409)) {
            saved.textContent = "没有保存，请检查登录和网络";
            return;
        }
        const { faults, photos } = await answer.json();
        saved.textContent = faults.length ? faults.join("；") : "草稿已保存，换一部手机登录也能接着填";
        showPhotos(photos, faults, body);
    } catch {
        saved.textContent = "网络不通，还没有保存；填的内容还在这一页";
    }
}

function later() {
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
}

function showPhotos(photos, faults, body) {
    if (!body.getAll("photos").some((file) => file.size)) {
        return;
    }
    fields.photos.value = "";
    form.querySelector("[data-photos-said]").textContent = faults.length ? faults.join("；") : `已传 ${photos.length} 张`;
    form.querySelector("[data-photos]").replaceChildren(
        ...photos.map(({ url }, index) => Object.assign(new Image(), { src: url, alt: `现场照片 ${index + 1}` })),
    );
}

form.addEventListener("input", (event) => event.target.id !== "find-operator" && later());
form.addEventListener("change", (event) => event.target.id !== "find-operator" && later());
form.addEventListener("submit", () => {
    isSending = true;
    clearTimeout(timer);
});
fields.photos.addEventListener("change", () => {
    form.querySelector("[data-photos-said]").textContent = "正在传照片……";
    clearTimeout(timer);
    save();
});

// The product

function optional(name, isOptional) {
    for (const input of [fields[name]].flat()) {
        const field = (input instanceof RadioNodeList ? input[0] : input)?.closest(".field");
        field?.querySelectorAll(".optional").forEach((mark) => (mark.hidden = !isOptional));
    }
}

function chooseProduct() {
    const option = fields.product?.selectedOptions[0];
    if (!option) {
        return;
    }
    const { industry = "", units = "" } = option.dataset;
    form.querySelector("[data-crop]").hidden = industry !== "" && industry !== "planting";
    form.querySelector("[data-industry-name]").textContent = { planting: "种植业", livestock: "畜牧业", fishery: "渔业" }[industry] ?? "";
    if (units) {
        const allowed = units.split(" ");
        for (const each of fields.unit.options) {
            each.hidden = each.disabled = !allowed.includes(each.value);
        }
        if (!allowed.includes(fields.unit.value)) {
            fields.unit.value = allowed[0];
        }
    }
    convert();
}

function convert() {
    const box = form.querySelector("[data-converted]");
    const amount = Number(fields.scale.value);
    box.hidden = fields.unit.value !== "m2" || !(amount > 0);
    box.textContent = box.hidden ? "" : `${amount} 平方米折合 ${(amount * MU_PER_SQUARE_METRE).toFixed(2)} 亩，按亩保存`;
}

/** What a county added is offered in that county only. */
function offerProducts(county) {
    for (const option of fields.product?.options ?? []) {
        if (option.dataset.county) {
            option.hidden = option.disabled = county !== "" && option.dataset.county !== county;
        }
    }
}

fields.product?.addEventListener("change", chooseProduct);
fields.unit.addEventListener("change", convert);
fields.scale.addEventListener("input", convert);
chooseProduct();
convert();

// The village

function suggest(name, told) {
    if (told) {
        fields[name].placeholder = `${told}（留空＝沿用）`;
        optional(name, true);
    }
}

async function chooseVillage() {
    if (!form.dataset.village || !fields.region?.value) {
        return;
    }
    const url = new URL(form.dataset.village, location.href);
    url.searchParams.set("region", fields.region.value);
    const answer = await fetch(url).catch(() => null);
    if (!answer?.ok || answer.redirected) {
        return;
    }
    const { bounds, county = "", grid_name, grid_phone } = await answer.json();
    suggest("grid_name", grid_name);
    suggest("grid_phone", grid_phone);
    offerProducts(county);
    if (bounds) {
        const [west, south, east, north] = bounds.split(",").map(Number);
        (await map)([west, south, east, north]);
    }
}

fields.region?.addEventListener("change", chooseVillage);
chooseVillage();

// The base

function chooseBase() {
    const { region, place, longitude, latitude } = fields.base.selectedOptions[0]?.dataset ?? {};
    form.querySelector("[data-new-base]").hidden = fields.base.value !== "";
    if (region && fields.region) {
        fields.region.value = region;
        fields.region_text.value = place;
        fields.region.dispatchEvent(new Event("change", { bubbles: true }));
    }
    if (longitude && latitude && fields.region) {
        fields.longitude.value = longitude;
        fields.latitude.value = latitude;
        fields.longitude.dispatchEvent(new Event("change", { bubbles: true }));
    }
}

fields.base.addEventListener("change", chooseBase);
form.querySelector("[data-new-base]").hidden = fields.base.value !== "";

// The operator

const finder = form.querySelector("[data-operators]");

function showChosen(operator) {
    fields.operator.value = operator?.code ?? "";
    fields.operator_text.value = operator?.name ?? "";
    form.querySelector("[data-chosen]").hidden = !operator;
    form.querySelector("[data-new-operator]").hidden = Boolean(operator);
    finder.hidden = Boolean(operator);
    form.querySelector("[data-chosen-name]").textContent = operator?.name ?? "";
    form.querySelector("[data-chosen-more]").textContent = operator ? `${operator.kinds} · ${operator.place}` : "";
    for (const [name, told] of [["contact", operator?.contact], ["phone", operator?.phone]]) {
        fields[name].placeholder = told ? `${told}（留空＝沿用）` : "";
        optional(name, Boolean(told));
    }
    const offered = (operator?.bases ?? []).map((base) => {
        const option = new Option(base.name, base.code);
        const { region, place, longitude, latitude } = base;
        Object.assign(option.dataset, { region, place, longitude, latitude });
        return option;
    });
    fields.base.replaceChildren(fields.base.options[0], ...offered);
    fields.base.value = offered.length === 1 ? offered[0].value : "";
    chooseBase();
    later();
}

function row(operator) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "list-group-item list-group-item-action";
    const name = document.createElement("b");
    name.textContent = operator.name;
    const more = document.createElement("span");
    more.className = "d-block text-secondary";
    more.textContent = `${operator.kinds} · ${operator.place} · ${operator.phone} · ${operator.status}`;
    button.append(name, more);
    button.addEventListener("click", () => showChosen(operator));
    const item = document.createElement("li");
    item.append(button);
    return item;
}

if (finder) {
    const box = finder.querySelector("input");
    const list = finder.querySelector("[data-found]");
    const help = finder.querySelector("[role=status]");
    let asked = 0;
    let wait = 0;

    async function search() {
        const ticket = ++asked;
        const url = new URL(finder.dataset.operators, location.href);
        url.searchParams.set("q", box.value);
        const answer = box.value.trim().length > 1 ? await fetch(url).catch(() => null) : null;
        const found = answer?.ok && !answer.redirected ? await answer.json() : [];
        if (ticket !== asked) {
            return;
        }
        list.replaceChildren(...found.map(row));
        list.hidden = !found.length;
        help.textContent = found.length
            ? `找到 ${found.length} 个，点一下选定`
            : "没有找到；没有登记过的，直接填下面几项，提交时一并登记";
    }

    box.addEventListener("input", () => {
        clearTimeout(wait);
        wait = setTimeout(search, SEARCH_MS);
    });
    box.addEventListener("keydown", (event) => {
        if (event.key === "Enter") {
            event.preventDefault();
            search();
        }
    });
    form.querySelector("[data-other-operator]").addEventListener("click", () => {
        showChosen(null);
        box.focus();
    });
    finder.hidden = Boolean(fields.operator.value);
}

form.querySelector(".is-invalid")?.focus();
