// Enhances forms: a button shows a password, and a button that sends another message counts down until it can be pressed.
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
    // Browsers restore the value of a text field when the page is shown again, so a shown password is hidden first.
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
