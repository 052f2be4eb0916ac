// The page: what a single-page application does to sign people in.
import { createOtpClient } from '/client/index.js';
import { clock, countDown } from './countdown.js';
import { exchange } from './exchanges.js';
import { openMailbox } from './mailbox.js';
import { byId, complain, currentStep, say, showStep, whileBusy } from './screen.js';
import { inWords } from './words.js';

const client = createOtpClient({ baseUrl: '/auth', fetch: exchange });
const mailbox = await openMailbox((code) => {
  byId('code').value = code;
  byId('code').focus();
});

// Tells a browser that has signed in before from one that has not, which need not ask for a refresh in vain. It holds no
// token: the refresh token is in a cookie that no script can read, and the access token is nowhere but in memory.
const hint = {
  isSignedIn: () => localStorage.getItem('signed-in') !== null,
  set: (user) => (user ? localStorage.setItem('signed-in', 'yes') : localStorage.removeItem('signed-in')),
};

let email = '';
let stopCodeCountdowns = () => {};
let stopTokenCountdown = () => {};

client.subscribe(hint.set);
client.subscribe(countDownToken);
onSubmit('address-form', () => {
  email = byId('email').value.trim();
  return requestCode();
});
onSubmit('code-form', signIn);
onClick('resend', requestCode);
onClick('other-address', () => startAgain(''));
onClick('call', showProtectedAnswer);
onClick('refresh', refresh);
onClick('log-out', logOut);
onClick('again', () => startAgain(''));

await mailbox.update();
if (hint.isSignedIn() && (await client.refresh()).data) await showSignedIn('Welcome back: the cookie was still good.');
else showStep('address');

async function requestCode() {
  const { data, error } = await client.requestOtp({ email });
  if (error) return complain(inWords(error, currentStep()));
  await mailbox.update();
  showStep('code');
  byId('address').textContent = email;
  byId('code').value = '';
  countDownCode(data);
  say(mailbox.whereTheCodeIs(email));
}

async function signIn() {
  // People paste codes as "123 456".
  const otp = byId('code').value.replace(/\s/g, '');
  const { error } = await client.verifyOtp({ email, otp });
  if (error) return complain(inWords(error, 'code'));
  stopCodeCountdowns();
  await showSignedIn('The code was right, and is used up.');
}

async function showSignedIn(news) {
  showStep('signed-in');
  byId('user').textContent = client.user.id;
  say(news);
  await showProtectedAnswer();
}

async function showProtectedAnswer() {
  // Adds the access token; where that has expired, the client refreshes it and asks again.
  const response = await client.fetch('/me');
  const answer = await response.json();
  if (!client.user) return startAgain('Your sign-in has ended: ask for a new code.');
  if (!response.ok) return complain(inWords(answer));
  byId('answer').textContent = JSON.stringify(answer, null, 2);
}

async function refresh() {
  const { error } = await client.refresh();
  if (!client.user) return startAgain('Your sign-in has ended: ask for a new code.');
  if (error) return complain(inWords(error));
  await showProtectedAnswer();
  say('There are a new access token, look at its tokenId, and a new cookie.');
}

async function logOut() {
  const headers = { Authorization: `Bearer ${client.getAccessToken()}` };
  const stolen = await (await exchange('/demo/stolen-cookies', { method: 'POST' })).json();
  const { error } = await client.logout();
  if (error) return complain(inWords(error));

  const trials = [
    ['The access token', await exchange('/me', { headers })],
    ['The refresh token', await exchange(`/demo/stolen-cookies/${stolen.id}/refresh`, { method: 'POST' })],
  ];
  byId('trials').replaceChildren(...(await Promise.all(trials.map(trialItem))));
  showStep('signed-out');
  say(trials.every(([, { status }]) => status === 401) ? 'Neither token works any more.' : 'This must not happen.');
}

async function trialItem([token, response]) {
  const { code } = await response.json();
  const item = document.createElement('li');
  item.textContent = `${token}: ${response.status === 401 ? 'refused' : 'accepted!'} (${response.status} ${code})`;
  return item;
}

function startAgain(news) {
  stopCodeCountdowns();
  showStep('address');
  say(news);
}

function countDownCode({ expiresIn, resendIn }) {
  stopCodeCountdowns();
  const resend = byId('resend');
  const stops = [
    countDown(expiresIn, (seconds) => {
      byId('code-life').textContent =
        seconds > 0 ? `It works once, for ${clock(seconds)} more.` : 'It has expired. Send a new one.';
    }),
    countDown(resendIn, (seconds) => {
      resend.disabled = seconds > 0;
      resend.textContent = seconds > 0 ? `Send a new code in ${clock(seconds)}` : 'Send a new code';
    }),
  ];
  stopCodeCountdowns = () => stops.forEach((stop) => stop());
}

/** On every new access token, whoever asked for it: a guarded request refreshes by itself. */
function countDownToken() {
  stopTokenCountdown();
  const token = client.getAccessToken();
  if (token === null) return;
  const { iat, exp } = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
  stopTokenCountdown = countDown(exp - iat, (seconds) => {
    byId('token-life').textContent =
      seconds > 0 ? `in the page’s memory, for ${clock(seconds)} more` : 'expired: the next request brings a new one';
  });
}

function onSubmit(id, work) {
  byId(id).addEventListener('submit', (event) => {
    event.preventDefault();
    void whileBusy(event.submitter, () => orComplain(work));
  });
}

function onClick(id, work) {
  byId(id).addEventListener('click', ({ currentTarget }) => void whileBusy(currentTarget, () => orComplain(work)));
}

/** The client's methods never fail; `fetch` does where there is no answer. */
async function orComplain(work) {
  try {
    await work();
  } catch (error) {
    console.error(error);
    complain(inWords({ code: 'network_error' }));
  }
}
