// What the tests do in the page. RapiDoc is a tree of shadow roots, which no selector of the browser's protocol enters.
'use strict';

const reference = {
  root: (name) => document.querySelector(`#${name} > rapi-doc`).shadowRoot,

  heads: (name) => [...(document.querySelector(`#${name} > rapi-doc`)?.shadowRoot?.querySelectorAll('summary.endpoint-head') ?? [])],

  // operations are those that the tab shows, as method and path.
  operations: (name) => reference.heads(name).filter((head) => head.checkVisibility())
    .map((head) => head.innerText.trim().split(/\s+/).slice(0, 2).join(' ').toUpperCase()),

  // until waits for what find returns.
  until: async (what, find) => {
    for (let tries = 0; tries < 500; tries++) {
      const found = find();
      if (found) return found;
      await new Promise((done) => { setTimeout(done, 20); });
    }
    throw new Error(`there is no ${what} in the page`);
  },

  open: async (name, count) => {
    document.getElementById(`tab-${name}`).click();
    await reference.until(`list of ${count} operations of ${name}`, () => reference.operations(name).length >= count);
    return reference.operations(name);
  },

  // paste gives the tab a credential, as a reader does.
  paste: async (name, scheme, credential) => {
    const row = reference.root(name).getElementById(`security-scheme-${scheme}`);
    row.querySelector('input').value = credential;
    row.querySelector('input ~ button').click();
    await reference.until('applied credential', () => row.innerText.includes('Key Applied'));
  },

  expand: async (name, operation) => {
    const head = reference.heads(name)
      .find((one) => one.innerText.trim().split(/\s+/).slice(0, 2).join(' ').toUpperCase() === operation.toUpperCase());
    if (!head.classList.contains('expanded')) head.click();
    return reference.until(`request of ${operation}`, () => head.parentElement.querySelector('api-request')?.shadowRoot?.querySelector('.m-btn.primary'));
  },

  // attempt presses TRY and returns what the page shows of the answer. A body takes the place of the example.
  attempt: async (name, operation, body) => {
    const button = await reference.expand(name, operation);
    if (body) button.getRootNode().querySelector('textarea.request-body-param-user-input').value = body;
    button.click();
    const status = await reference.until(`answer to ${operation}`, () => button.getRootNode().querySelector('.response-message'));
    const shown = status.parentElement.nextElementSibling;
    await reference.until(`body of the answer to ${operation}`, () => shown.innerText.includes('{'));
    return `${status.innerText}\n${shown.innerText}`;
  },

  // sample is the call to paste of an operation.
  sample: async (name, operation) => {
    const button = await reference.expand(name, operation);
    return button.getRootNode().host.closest('.endpoint-body').querySelector('pre code').innerText;
  },

  // held is what has the focus, with what can be said of it.
  held: () => {
    let one = document.activeElement;
    while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    return `${one.localName} ${one.className} ${one.ariaExpanded}`.replaceAll(/\s+/g, ' ');
  },

  // chosen is the tab that is shown.
  chosen: () => document.querySelector('[role=tab][aria-selected=true]').textContent,

  shows: (name) => reference.until(`tab ${name}`, () => reference.chosen() === name).then(() => {}),

  // fields are those for credentials, with what browsers and readers of screens are told of them.
  fields: (name) => [...reference.root(name).querySelectorAll('#auth input')].map((one) => `${one.ariaLabel} ${one.autocomplete}`),

  // bare reports whether the tab has no credential.
  bare: (name, scheme) => {
    const row = reference.root(name).getElementById(`security-scheme-${scheme}`);
    return row.querySelector('input').value === '' && !row.innerText.includes('Key Applied');
  },

  // dressed waits until page and contracts have the background.
  dressed: (colour) => reference.until(`background ${colour}`, () => [document.body, ...document.querySelectorAll('rapi-doc')]
    .every((one) => getComputedStyle(one).backgroundColor === colour)).then(() => {}),

  kept: async () => JSON.stringify({
    local: Object.entries(localStorage), session: Object.entries(sessionStorage), cookies: document.cookie,
    databases: await indexedDB.databases(), address: location.href,
  }),
};
