/** Registering for oneself: shows the numbers that the chosen types need, saves what is typed, finds the county. */

const PAUSE_MS = 800;

const form = document.querySelector("form[data-self]");
const numbers = form.querySelector("[data-either-number]");
const saved = form.querySelector("[data-saved]");
const persons = form.dataset.persons.split(" ");
const either = form.dataset.either.split(" ");
let timer = 0;
let isSending = false;

/** The part of the page of one input; what is hidden is not sent. */
function show(name, isShown, isNeeded) {
    const input = form.elements[name];
    const field = input.closest(".field");
    field.hidden = !isShown;
    field.querySelector(".optional").hidden = isNeeded;
    input.disabled = !isShown;
}

function chooseNumbers() {
    const kinds = [...form.querySelectorAll("[name=kinds]:checked")].map((box) => box.value);
    const isLicensed = kinds.some((kind) => !persons.includes(kind) && !either.includes(kind));
    const isPerson = kinds.length > 0 && kinds.every((kind) => persons.includes(kind));
    const isEither = kinds.length > 0 && kinds.every((kind) => either.includes(kind));
    show("uscc", isLicensed || isEither, isLicensed);
    show("id_number", kinds.length > 0 && !isLicensed, !isEither);
    show("licence", isLicensed || isEither, false);
    // A person is the contact, too.
    show("contact", !isPerson, true);
    numbers.hidden = !isEither;
    form.querySelector("label[for=id_name]").textContent = isPerson ? "姓名" : "名称";
}

async function save() {
    const body = new FormData(form);
    body.delete("licence");
    try {
        const answer = await fetch(form.dataset.draft, { method: "POST", body });
        if (!isSending) {
            saved.textContent = answer.ok && !answer.redirected ? "已保存，换一部手机登录也能接着填" : "没有保存，请检查登录和网络";
        }
    } catch {
        saved.textContent = "网络不通，还没有保存";
    }
}

function typed(event) {
    if (form.dataset.draft && event.target.name !== "consent") {
        clearTimeout(timer);
        timer = setTimeout(save, PAUSE_MS);
    }
}

/** The county that the phone is in: the picker offers what lies in it. */
async function located(event) {
    typed(event);
    const url = new URL(form.dataset.place, location.href);
    url.searchParams.set("longitude", event.detail.longitude);
    url.searchParams.set("latitude", event.detail.latitude);
    const answer = await fetch(url).catch(() => null);
    const county = answer?.ok && !answer.redirected ? await answer.json() : null;
    if (!county?.code) {
        return;
    }
    const picker = form.querySelector("[data-region-picker]");
    if (picker.querySelector("input[type=hidden]").value) {
        return;
    }
    picker.dataset.within = county.code;
    form.querySelector("[data-locate-here] [role=status]").textContent = `您在${county.full_name}，请选乡镇和村`;
    const text = picker.querySelector("[role=combobox]");
    text.focus();
    text.click();
}

form.addEventListener("change", chooseNumbers);
form.addEventListener("input", typed);
form.addEventListener("change", typed);
form.addEventListener("located", located);
form.addEventListener("submit", () => {
    isSending = true;
    clearTimeout(timer);
});
chooseNumbers();
form.querySelector(".is-invalid")?.focus();
