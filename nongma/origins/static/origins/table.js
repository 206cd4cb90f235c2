/** 一张表: how many records are ticked, and all of a page at once. */

const form = document.getElementById("records");
const bulk = form?.querySelector("[data-bulk]");

if (bulk) {
    const boxes = [...form.querySelectorAll('input[name="uid"]')];
    const all = form.querySelector("[data-all]");
    const count = bulk.querySelector("[data-count]");
    const [selection, whole] = ["selection", "whole"].map((value) => bulk.querySelector(`[value="${value}"]`));
    const buttons = [...bulk.querySelectorAll("button")];

    const show = () => {
        const ticked = boxes.filter((box) => box.checked).length;
        count.textContent = String(ticked);
        all.checked = ticked > 0 && ticked === boxes.length;
        all.indeterminate = ticked > 0 && ticked < boxes.length;
        buttons.forEach((button) => (button.disabled = selection.checked && ticked === 0));
    };

    all.addEventListener("change", () => {
        boxes.forEach((box) => (box.checked = all.checked));
        selection.checked = true;
        show();
    });
    form.addEventListener("change", (event) => {
        if (event.target.name === "uid") {
            selection.checked = true;
        }
        show();
    });
    whole.addEventListener("change", show);
    window.addEventListener("pageshow", show);
    show();
}
