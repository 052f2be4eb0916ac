const element = (id) => document.getElementById(id);

function show(...ids) {
  for (const section of document.querySelectorAll('section')) section.hidden = !ids.includes(section.id);
}

async function post(action, body) {
  const answer = await fetch(`/auth/totp/${action}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status === 204) return {};
  const content = await answer.json();
  if (answer.ok) return content;
  // Signed out meanwhile, or too long signed in for this.
  if (answer.status === 401) location.assign('/auth/sign-in?prompt=login&return_to=/');
  throw new Error(content.detail);
}

/** What the server refuses is told to the user. */
function telling(handler) {
  return async (event) => {
    event.preventDefault();
    element('error').textContent = '';
    try {
      await handler(event);
    } catch (error) {
      element('error').textContent = error.message;
    }
  };
}

function showRecoveryCodes({ recovery_codes: codes }) {
  element('recovery_codes').replaceChildren(
    ...codes.map((code) => Object.assign(document.createElement('li'), { textContent: code })),
  );
  show('codes', 'on');
}

element('enroll').addEventListener(
  'click',
  telling(async () => {
    const { secret, qr_code } = await post('enroll', {});
    element('secret').textContent = secret;
    element('qr_code').src = qr_code;
    show('confirm');
  }),
);

for (const form of document.querySelectorAll('section form'))
  form.addEventListener(
    'submit',
    telling(async ({ submitter }) => {
      const answer = await post(submitter.value, { code: form.elements.code.value });
      form.reset();
      if (submitter.value === 'disable') show('off');
      else showRecoveryCodes(answer);
    }),
  );

const me = await (await fetch('/auth/users/me')).json();
element('email').textContent = me.email ?? me.phone_number;
show(me.totp_enabled ? 'on' : 'off');
