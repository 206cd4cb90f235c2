/** A password can be looked at while it is typed: 显示 and 隐藏 beside each field. */

for (const field of document.querySelectorAll('input[type="password"]')) {
    const group = document.createElement("div");
    group.className = "input-group";
    field.replaceWith(group);

    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn";
    button.setAttribute("aria-controls", field.id);
    group.append(field, button);

    const show = (shown) => {
        field.type = shown ? "text" : "password";
        button.textContent = shown ? "隐藏" : "显示";
        button.setAttribute("aria-pressed", String(shown));
    };
    show(false);
    button.addEventListener("click", () => show(field.type === "password"));
    // What a browser remembers of a form must not hold a password that was shown.
    field.form.addEventListener("submit", () => show(false));
    if (field.autofocus) {
        field.focus();
    }
}
