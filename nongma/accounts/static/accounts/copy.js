/** Copies the text of the list that a button names, where the browser lets pages write to the clipboard. */

for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) {
        continue;
    }
    const status = button.parentElement.querySelector("[role=status]");
    button.hidden = false;
    button.addEventListener("click", async () => {
        const items = document.querySelectorAll(`${button.dataset.copy} li`);
        try {
            await navigator.clipboard.writeText([...items].map((item) => item.textContent.trim()).join("\n"));
            status.textContent = "已复制";
        } catch {
            status.textContent = "浏览器不让复制，请打印或抄写";
        }
    });
}
