// Enhances forms: a button shows a password, a button that sends another message counts down until it can be pressed, and
// buttons copy and save backup codes.
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
  // The codes beside a button that are not used, one a line.
  const codesBeside = (button) => {
    const codes = button.closest(".field").querySelectorAll(".codes li:not(:has(.used))");
    return [...codes].map((code) => `${code.textContent.trim()}\n`).join("");
  };
  const copies = (button) => {
    // Browsers have a clipboard only where the connection is secure.
    if (!navigator.clipboard) return;
    const status = button.closest(".field").querySelector("[role=status]");
    button.hidden = false;
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(codesBeside(button)).then(() => { status.textContent = button.dataset.done; }, () => {
        button.hidden = true;
      });
    });
  };
  const saves = (button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      link.download = button.dataset.saves;
      link.href = URL.createObjectURL(new Blob([`${location.host}\n\n${codesBeside(button)}`], { type: "text/plain" }));
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  };
  for (const button of document.querySelectorAll("button[data-copies]")) copies(button);
  for (const button of document.querySelectorAll("button[data-saves]")) saves(button);
  for (const button of document.querySelectorAll("button[data-wait]")) waits(button);
  for (const button of document.querySelectorAll("button[data-reveals]")) reveals(button);
})();
