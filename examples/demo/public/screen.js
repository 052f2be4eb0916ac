// What is on the screen, and where the keyboard is.
const FIRST_OF_STEP = {
  address: 'email',
  code: 'code',
  'signed-in': 'signed-in-heading',
  'signed-out': 'signed-out-heading',
};

let step;

export function byId(id) {
  return document.getElementById(id);
}

export function currentStep() {
  return step;
}

/** Shows one step, and takes the keyboard there: screen readers then read it out. */
export function showStep(next) {
  step = next;
  for (const element of document.querySelectorAll('[data-step]')) element.hidden = element.dataset.step !== next;
  for (const element of document.querySelectorAll('[data-progress]')) {
    if (element.dataset.progress === next) element.setAttribute('aria-current', 'step');
    else element.removeAttribute('aria-current');
  }
  withdrawComplaints();
  byId(FIRST_OF_STEP[next]).focus();
}

/** Tells news; screen readers read them out when they have finished. */
export function say(text) {
  byId('status').textContent = text;
}

/** Whatever was wrong, it is being tried again. */
function withdrawComplaints() {
  for (const element of document.querySelectorAll('[role=alert]')) element.textContent = '';
  for (const element of document.querySelectorAll('[aria-invalid]')) element.removeAttribute('aria-invalid');
}

/** Shows an error at the field of this step, and takes the keyboard there. */
export function complain(text) {
  byId(`${step}-error`).textContent = text;
  const field = byId(FIRST_OF_STEP[step]);
  if (!(field instanceof HTMLInputElement)) return;
  field.setAttribute('aria-invalid', 'true');
  field.focus();
  field.select();
}

/** A button that is at work takes no second click. It keeps the keyboard, unlike one that is disabled. */
export async function whileBusy(button, work) {
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  withdrawComplaints();
  try {
    await work();
  } finally {
    button.removeAttribute('aria-busy');
  }
}
