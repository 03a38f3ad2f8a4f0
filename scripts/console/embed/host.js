// A page of a vendor's own application. What stands in the form stands in the address, too.
const form = document.querySelector('form');
for (const [name, value] of new URLSearchParams(location.search)) if (form.elements[name]) form.elements[name].value = value;

const { show, side, id, as, ...looks } = Object.fromEntries(new FormData(form));

// Its own back end knows who uses it, and has a token for that person.
async function token() {
  const response = await fetch(`/token?${new URLSearchParams({ as })}`);
  if (!response.ok) throw new Error(`no token: ${response.status}`);
  return response.text();
}

const element = document.createElement(`partner-access-${show}`);
element.setAttribute(side, id);
for (const [name, value] of Object.entries(looks)) if (value) element.setAttribute(name, value);
element.token = token;

for (const name of ['ready', 'granted', 'edited', 'revoked', 'invited', 'approved', 'declined', 'asked', 'relinquished', 'error']) {
  element.addEventListener(`partner-access:${name}`, ({ type, detail }) => {
    const line = document.createElement('li');
    line.textContent = `${type} ${JSON.stringify(detail)}`;
    document.querySelector('#events').append(line);
  });
}
document.querySelector('#place').append(element);
