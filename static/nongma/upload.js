/** The upload form: a file may be dropped on it, and one that is too big is refused before it travels. */

const form = document.querySelector("form[data-upload]");
const input = form.querySelector('input[type="file"]');
const zone = form.querySelector(".upload-drop");

zone.querySelector(".upload-hint").hidden = !window.matchMedia("(hover: hover)").matches;

function check() {
    const most = Number(form.dataset.mostMegabytes);
    const file = input.files[0];
    const tooBig = file && file.size > most * 1024 * 1024;
    input.setCustomValidity(tooBig ? `文件超过 ${most} MB，请分成几个文件上传` : "");
    if (tooBig) {
        input.reportValidity();
    }
}

input.addEventListener("change", check);

for (const name of ["dragover", "dragenter"]) {
    zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.classList.add("is-over");
    });
}
for (const name of ["dragleave", "drop"]) {
    zone.addEventListener(name, () => zone.classList.remove("is-over"));
}
zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        check();
    }
});
