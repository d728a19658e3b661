/**
 * The terminal's library writes `<style>` elements and `style` attributes, both of which the page's content
 * security policy forbids. The same styles through the object model are allowed (CSP 3 §4.2.3): sheets that are
 * adopted, and `element.style`. While a terminal is open, elements that would break the policy take that way.
 */

/** Whether this browser can adopt sheets (Chrome 73, Firefox 101, Safari 16.4). */
export function canAdoptSheets(): boolean {
  return 'adoptedStyleSheets' in Document.prototype && 'replaceSync' in CSSStyleSheet.prototype;
}

let users = 0;

/** Has `document` make such elements, until the function returned is called. */
export function allowStyles(): () => void {
  users += 1;
  // An own property in front of the prototype's, which is found again when this one is gone.
  Object.defineProperty(document, 'createElement', { value: createElement, configurable: true });
  return () => {
    users -= 1;
    if (users === 0) Reflect.deleteProperty(document, 'createElement');
  };
}

function createElement(name: string, options?: ElementCreationOptions): HTMLElement {
  const make = Document.prototype.createElement;
  if (name === 'style') return adoptedStyle(make.call(document, 'span'));
  const element = make.call(document, name, options);
  // Characters, which have colours of their own.
  if (name === 'span') element.setAttribute = setSpanAttribute;
  return element;
}

/** An element without a look whose text is a sheet of the document, for as long as it is there. */
function adoptedStyle(element: HTMLElement): HTMLElement {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  element.hidden = true;
  Object.defineProperty(element, 'textContent', {
    get: () => '',
    set: (text: string) => sheet.replaceSync(text),
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

function setSpanAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}
