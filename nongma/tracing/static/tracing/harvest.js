/** The base's own products come first, and only the units that the product is traded in can be chosen. */

const HERE = "这个基地的产品";
const ELSEWHERE = "其他基地的产品";

const form = document.querySelector("[data-harvest]");

if (form) {
    const base = form.elements.namedItem("base");
    const product = form.elements.namedItem("product");
    const unit = form.elements.namedItem("unit");
    const options = [...product.options].filter((option) => option.value);
    const labels = [...product.querySelectorAll("optgroup")].map((group) => group.label);
    const order = [...new Set([HERE, ELSEWHERE, ...labels])];
    // What came back with errors was chosen, and stays.
    let touched = "sent" in form.dataset;

    const basesOf = (option) => option.dataset.bases.split(" ").filter(Boolean);

    const groupOf = (option) => {
        const bases = basesOf(option);
        if (bases.includes(base.value)) {
            return HERE;
        }
        return bases.length ? ELSEWHERE : option.dataset.industry;
    };

    const arrange = () => {
        const kept = product.value;
        const groups = new Map(order.map((label) => [label, []]));
        for (const option of [...options].sort((one, other) => (one.dataset.code < other.dataset.code ? -1 : 1))) {
            const label = groupOf(option);
            groups.set(label, [...(groups.get(label) ?? []), option]);
        }
        for (const old of product.querySelectorAll("optgroup")) {
            old.remove();
        }
        for (const [label, members] of groups) {
            if (members.length) {
                const group = document.createElement("optgroup");
                group.label = label;
                group.append(...members);
                product.append(group);
            }
        }
        const [first] = groups.get(HERE);
        product.value = !touched && first ? first.value : kept;
    };

    const follow = () => {
        const units = product.selectedOptions[0]?.dataset.units;
        if (units) {
            const kept = unit.value;
            const choices = units.split(",").map((each) => each.split("="));
            unit.replaceChildren(...choices.map(([value, text]) => new Option(text, value, false, value === kept)));
        }
    };

    base.addEventListener("change", () => {
        arrange();
        follow();
    });
    product.addEventListener("change", () => {
        touched = true;
        follow();
    });
    follow();
}
