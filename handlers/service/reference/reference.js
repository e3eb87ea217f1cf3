// The tabs of the reference. Each has a RapiDoc of its own, which is made when the tab is first opened and kept, with
// the credential that it was given, until the page is left.
'use strict';

const dark = matchMedia('(prefers-color-scheme: dark)');
const wide = matchMedia('(min-width: 900px)');
const form = 'application/x-www-form-urlencoded';
const tabs = [...document.querySelectorAll('[role=tab]')];

// base is the address of the server as the page sees it, also behind a proxy that adds a path.
const base = new URL('.', location.href).href.replace(/\/$/, '');

const settings = {
  'render-style': 'view',
  'schema-style': 'table',
  'show-header': 'false',
  'allow-server-selection': 'false',
  'allow-advanced-search': 'false',
  'update-route': 'false',
  'load-fonts': 'false', // they would come from elsewhere
  'persist-auth': 'false', // a credential is for this page's memory only
  'fetch-credentials': 'omit',
  'sort-endpoints-by': 'none',
  'regular-font': 'system-ui, sans-serif',
  'mono-font': 'ui-monospace, Menlo, Consolas, monospace',
};

function dress(view) {
  view.setAttribute('theme', dark.matches ? 'dark' : 'light');
  view.setAttribute('bg-color', dark.matches ? '#1b1f24' : '#ffffff');
  view.setAttribute('text-color', dark.matches ? '#d8dee6' : '#1f2933');
  view.setAttribute('primary-color', dark.matches ? '#6cb6ff' : '#0b5fa5');
  view.setAttribute('layout', wide.matches ? 'row' : 'column');
}

// mended is what RapiDoc's own styles get wrong.
const mended = new CSSStyleSheet();
mended.replaceSync(`
  #api-info { margin-left: 0 !important; }
  #api-info span:first-child::before { display: none !important; }
  .api-key-input { width: min(100% - 110px, 32em) !important; }
  .method { min-width: 70px !important; }
  pre code { overflow-wrap: anywhere; }
  .tab-content pre { padding-top: 44px; } /* below Copy */
  .summary { position: relative; }
  .api-key-input { -webkit-text-security: disc; }
  #api-info a, .blue-text { color: var(--primary-color) !important; }
  [role=button]:focus-visible { outline: 2px solid var(--primary-color); outline-offset: -2px; }
`);

// pressed are what RapiDoc lets only a mouse press, on the way to a request.
const pressed = 'summary.endpoint-head, .section-tag-header, span[style*="cursor:pointer"]';

// chord is whether the browser has a use of its own for the key, such as Alt and an arrow.
const chord = (event) => event.altKey || event.ctrlKey || event.metaKey;

// tend gives what RapiDoc has drawn to keyboards and to readers of screens.
function tend(root) {
  for (const one of root.querySelectorAll(pressed)) {
    one.tabIndex = 0;
    one.role = 'button';
    const folded = { summary: one, div: one.parentElement }[one.localName];
    if (folded) one.ariaExpanded = folded.classList.contains('expanded');
  }
  for (const input of root.querySelectorAll('.api-key-input, .api-key-user, .api-key-password')) {
    input.autocomplete = input.type === 'password' ? 'new-password' : 'off'; // browsers heed no other word for these
    input.ariaLabel = input.matches('.api-key-user') ? 'User name' : 'Credential';
  }
}

function press(event) {
  if (!['Enter', ' '].includes(event.key) || chord(event) || !event.target.matches(pressed)) return;
  event.preventDefault();
  event.target.click();
}

// hidden are characters that show nothing, or what is beside them in another order.
const hidden = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

// reveal escapes them in an answer before RapiDoc draws it: others may have named what is in it.
function reveal(event) {
  const [request] = event.composedPath();
  const escaped = (one) => one.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  request.responseText = request.responseText?.replaceAll(hidden, escaped);
}

async function open(panel) {
  const view = document.createElement('rapi-doc');
  for (const [name, value] of Object.entries(settings)) view.setAttribute(name, value);
  dress(view);
  panel.append(view);
  view.shadowRoot.adoptedStyleSheets.push(mended);
  view.shadowRoot.addEventListener('keydown', press);
  view.addEventListener('after-try', reveal);
  new MutationObserver(() => tend(view.shadowRoot)).observe(view.shadowRoot, { subtree: true, childList: true, attributeFilter: ['class'] });
  try {
    const answer = await fetch(`openapi/${panel.id}.json`, { credentials: 'omit', cache: 'no-cache' }); // as old as the page
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    await view.loadSpec(prepared(await answer.json()));
  } catch (problem) {
    panel.textContent = `The contract ${panel.id} cannot be shown: ${problem.message}`;
  }
}

// prepared has this server as the only one, and a call to paste with each operation.
function prepared(spec) {
  spec.servers = [{ url: base }];
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (!operation.operationId) continue;
      operation['x-codeSamples'] = [{ lang: 'curl', source: curl(spec, path, method, operation) }];
      [operation.requestBody, ...Object.values(operation.responses)].forEach((message) => named(spec, message));
    }
  }
  return spec;
}

// named gives examples a name: RapiDoc cannot read one without if a member of it is null. Those of forms it looks for
// in the members.
function named(spec, message) {
  for (const [media, content] of Object.entries(message?.content ?? {})) {
    if (!('example' in content)) continue;
    if (media === form) {
      const { properties } = spec.components.schemas[content.schema.$ref?.split('/').pop()] ?? content.schema;
      for (const [member, value] of Object.entries(content.example)) properties[member].example = value;
    }
    content.examples = { Example: { value: content.example } };
    delete content.example;
  }
}

function curl(spec, path, method, operation) {
  const lines = [`curl --request ${method.toUpperCase()} --url ${quoted(base + path)}`];
  const schemes = (operation.security ?? spec.security).flatMap((one) => Object.keys(one));
  const scheme = spec.components.securitySchemes[schemes[0]];
  if (scheme) lines.push(`--header ${quoted(`Authorization: ${scheme.type === 'http' ? 'Bearer ' : ''}<token>`)}`);
  for (const [media, content] of Object.entries(operation.requestBody?.content ?? {})) {
    lines.push(`--header ${quoted(`Content-Type: ${media}`)}`, `--data ${quoted(body(spec, media, content))}`);
  }
  return lines.join(' \\\n  ');
}

// body is the first example of a request.
function body(spec, media, content) {
  let example = content.example ?? Object.values(content.examples ?? {})[0] ?? {};
  if (example.$ref) example = spec.components.examples[example.$ref.split('/').pop()];
  if (content.example === undefined) example = example.value ?? {};
  return media === 'application/json' ? JSON.stringify(example) : new URLSearchParams(example).toString();
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function choose(name) {
  for (const tab of tabs) {
    const panel = document.getElementById(tab.getAttribute('aria-controls'));
    const chosen = panel.id === name;
    tab.setAttribute('aria-selected', chosen);
    tab.tabIndex = chosen ? 0 : -1;
    panel.hidden = !chosen;
    if (chosen && !panel.hasChildNodes()) open(panel);
  }
  history.replaceState(null, '', `#${name}`);
}

// move follows the arrow keys, as readers expect of tabs.
function move(event) {
  const here = tabs.indexOf(event.target);
  const at = { ArrowRight: (here + 1) % tabs.length, ArrowLeft: here - 1, Home: 0, End: -1 }[event.key];
  if (at === undefined || chord(event)) return;
  event.preventDefault();
  const next = tabs.at(at);
  next.focus();
  next.click();
}

for (const tab of tabs) {
  tab.addEventListener('click', () => choose(tab.getAttribute('aria-controls')));
  tab.addEventListener('keydown', move);
}
for (const query of [dark, wide]) {
  query.addEventListener('change', () => document.querySelectorAll('rapi-doc').forEach(dress));
}
// A page that the browser kept would still have the credential.
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

// wanted is the tab that the address names.
const wanted = () => tabs.map((tab) => tab.getAttribute('aria-controls')).find((name) => name === location.hash.slice(1));
addEventListener('hashchange', () => { if (wanted()) choose(wanted()); });
choose(wanted() ?? 'muninx');
