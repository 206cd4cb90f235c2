/** A file that comes after the password leaves this page standing: say so, and show the way back. */

const STILL_HERE_AFTER = 1500;

const form = document.querySelector("form[data-download]");
form?.addEventListener("submit", () => {
    // A wrong password brings this page anew before then.
    setTimeout(() => {
        document.querySelector("#proof").hidden = true;
        document.querySelector("#downloading").hidden = false;
    }, STILL_HERE_AFTER);
});
