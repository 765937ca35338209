// Buttons that start a passkey or security key ceremony of the browser. The ceremony is in webauthn.js; its functions are
// called here, without inline scripts. Without JavaScript the buttons are hidden.
(() => {
  const call = (name, argument) => {
    const run = window[name];
    if (typeof run !== "function") return false;
    run(argument);
    return true;
  };
  const parse = (text) => {
    try { return JSON.parse(text); } catch { return undefined; }
  };
  const start = () => {
    for (const button of document.querySelectorAll("button[data-trigger]")) {
      button.hidden = false;
      button.addEventListener("click", () => call(button.dataset.trigger, parse(button.value)));
    }
    for (const field of document.querySelectorAll("input[data-on-load]")) call(field.dataset.onLoad);
  };
  if (document.readyState === "complete") start();
  else window.addEventListener("load", start);
})();
