/** Ticking the page's certificates at once, and how many labels the button will print. */

const form = document.querySelector("[data-choose]");

if (form) {
    const all = form.querySelector("[data-all]");
    const count = form.querySelector("[data-count]");
    const boxes = [...form.querySelectorAll('input[name="code"]')];

    const tell = () => {
        const ticked = boxes.filter((box) => box.checked).length;
        count.textContent = ticked ? `（${ticked}）` : "";
        all.checked = ticked === boxes.length;
        all.indeterminate = ticked > 0 && ticked < boxes.length;
    };

    all.addEventListener("change", () => {
        for (const box of boxes) {
            box.checked = all.checked;
        }
        tell();
    });
    form.addEventListener("change", tell);
    tell();
}
