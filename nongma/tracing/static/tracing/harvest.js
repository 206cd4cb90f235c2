/** The units follow the product: only those that it is traded in can be chosen. */

const form = document.querySelector("[data-harvest]");

if (form) {
    const product = form.elements.namedItem("product");
    const unit = form.elements.namedItem("unit");

    const follow = () => {
        const units = product.selectedOptions[0]?.dataset.units?.split(" ");
        for (const option of unit.options) {
            option.hidden = option.disabled = units !== undefined && !units.includes(option.value);
        }
        if (unit.selectedOptions[0]?.disabled) {
            unit.value = units[0];
        }
    };

    product.addEventListener("change", follow);
    follow();
}
