// A part of a page that is loaded after it: read as a document, because the policy of the page lets no text become elements.

/** Put what is at an address into an element; `failed` is called if it cannot be read. */
export function loadPart(address, into, failed = () => {}) {
  const request = new XMLHttpRequest();
  request.open("GET", address);
  request.responseType = "document";
  request.addEventListener("loadend", () => {
    if (request.status === 200) into.replaceChildren(...document.adoptNode(request.response.body).childNodes);
    else failed();
  });
  request.send();
}
