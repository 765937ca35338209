// Returns the problems of the current page as a list of sentences.
const faults = [];
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) {
  faults.push(`the page is ${root.scrollWidth} wide in a window of ${root.clientWidth}`);
}

const isShown = (element) => {
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const isClipped = style.clipPath !== 'none' || box.right <= 0 || box.bottom <= 0;
  // What a closed `details` contains has a size and is not visible.
  return element.checkVisibility() && style.visibility !== 'hidden' && box.width > 1 && box.height > 1 && !isClipped;
};

for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
  const label = field.labels?.length || field.getAttribute('aria-label') || field.getAttribute('aria-labelledby');
  if (isShown(field) && !label && !['submit', 'button'].includes(field.type)) {
    faults.push(`no label: ${field.outerHTML.slice(0, 100)}`);
  }
}

const controls = 'button, select, summary, input:not([type=hidden]):not([type=checkbox]), a.button, .links a, .footer a, .field a, .recipient a';
for (const control of document.querySelectorAll(controls)) {
  const { height } = control.getBoundingClientRect();
  if (isShown(control) && height < 43.9) faults.push(`only ${height} high: ${control.outerHTML.slice(0, 100)}`);
}

const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const parse = (color) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
  return { red, green, blue, alpha: alpha / 255 };
};
const over = (upper, lower) => {
  const mix = (part) => upper[part] * upper.alpha + lower[part] * (1 - upper.alpha);
  return { red: mix('red'), green: mix('green'), blue: mix('blue'), alpha: 1 };
};
const luminance = ({ red, green, blue }) => {
  const linear = (part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
};
const background = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
  const canvasColor = parse(getComputedStyle(root).colorScheme.includes('dark') && matchMedia('(prefers-color-scheme: dark)').matches ? 'black' : 'white');
  return layers.reduceRight((lower, upper) => over(upper, lower), canvasColor);
};

const seen = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || seen.has(element) || !isShown(element)) continue;
  seen.add(element);
  const style = getComputedStyle(element);
  if (element.closest('[disabled], script, style, noscript')) continue;
  const behind = background(element);
  const light = luminance(behind);
  const text = luminance(over(parse(style.color), behind));
  const ratio = (Math.max(light, text) + 0.05) / (Math.min(light, text) + 0.05);
  const size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight, 10) >= 700);
  if (ratio < (isLarge ? 3 : 4.5)) {
    faults.push(`contrast ${ratio.toFixed(2)}: ${element.textContent.trim().slice(0, 60)}`);
  }
}
return faults;
