// Makes forms more comfortable: a password can be shown, and a button that sends another message says when it may be
// pressed. Without JavaScript the first stays hidden and the second works at once.
(() => {
  const reveals = (button) => {
    const field = document.getElementById(button.dataset.reveals);
    if (!field) return;
    const show = (isShown) => {
      field.type = isShown ? "text" : "password";
      button.setAttribute("aria-pressed", String(isShown));
    };
    button.hidden = false;
    button.addEventListener("click", () => show(field.type === "password"));
    // Browsers keep what was sent in a field of text, and show it again when the page comes back.
    field.form?.addEventListener("submit", () => show(false));
    window.addEventListener("pagehide", () => show(false));
  };
  const waits = (button) => {
    const label = button.textContent;
    const end = performance.now() + 1000 * Number(button.dataset.wait);
    const tick = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      button.disabled = left > 0;
      button.textContent = left > 0
        ? `${label} (${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")})`
        : label;
      if (left > 0) setTimeout(tick, 500);
    };
    tick();
  };
  for (const button of document.querySelectorAll("button[data-wait]")) waits(button);
  for (const button of document.querySelectorAll("button[data-reveals]")) reveals(button);
})();
