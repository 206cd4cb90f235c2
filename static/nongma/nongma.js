/** What every page does: htmx requests carry the CSRF token, and a form is sent once. */

document.addEventListener("htmx:config:request", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]')?.content;
    const { request } = event.detail.ctx;
    if (token && request.method !== "GET") {
        request.headers["X-CSRFToken"] = token;
    }
});

// A second tap on a slow line must not send a form twice. A form that downloads a file leaves the page standing: it
// carries data-repeatable.
document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("data-repeatable") || event.defaultPrevented) {
        return;
    }
    if (form.dataset.sent) {
        event.preventDefault();
        return;
    }
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
});

// Coming back with the browser's back button shows the page as it was left: its forms may be sent again.
window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
        delete form.dataset.sent;
        form.removeAttribute("aria-busy");
    }
});

for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => window.print());
}

for (const control of document.querySelectorAll("select[data-submit], input[data-submit]")) {
    control.addEventListener("change", () => control.form.requestSubmit());
}
