/**
 * Files that are dragged onto an element: while they are over it `sign` shows
 * where they can be dropped.
 *
 *   dropTarget(pane, sign, (files) => composer.add(files), { when: () => !composer.disabled });
 */

/**
 * @param {HTMLElement} element
 * @param {HTMLElement} sign
 * @param {(files: File[]) => void} drop
 * @param {{when: () => boolean}} options `when` it takes any
 */
export function dropTarget(element, sign, drop, { when }) {
  /** Entered and not left: its children are entered and left as well. */
  let inside = 0;
  /** @param {DragEvent} event */
  const takes = (event) => event.dataTransfer?.types.includes("Files") && when();
  const end = () => {
    inside = 0;
    sign.hidden = true;
  };
  element.addEventListener("dragenter", (event) => {
    if (!takes(event)) return;
    event.preventDefault();
    inside += 1;
    sign.hidden = false;
  });
  element.addEventListener("dragover", (event) => {
    if (!takes(event)) return;
    event.preventDefault();
    /** @type {DataTransfer} */ (event.dataTransfer).dropEffect = "copy";
  });
  element.addEventListener("dragleave", (event) => {
    if (takes(event) && --inside <= 0) end();
  });
  element.addEventListener("drop", (event) => {
    if (!takes(event)) return;
    event.preventDefault();
    end();
    drop([.../** @type {DataTransfer} */ (event.dataTransfer).files]);
  });
}
