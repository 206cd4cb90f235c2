/** Puts a suggested sentence on a line of its own in a text, once. */

for (const box of document.querySelectorAll("[data-suggest]")) {
    const text = document.getElementById(box.dataset.suggest);
    box.hidden = false;
    for (const button of box.querySelectorAll("button")) {
        button.addEventListener("click", () => {
            const lines = text.value.split("\n").filter((line) => line.trim());
            if (!lines.includes(button.textContent)) {
                text.value = [...lines, button.textContent].join("\n");
            }
        });
    }
}
