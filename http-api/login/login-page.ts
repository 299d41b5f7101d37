/** The HTML of the page on which a browser's user logs in. It has no script. */
import { createHash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 22rem; margin: 12vh auto; padding: 0 1rem; }
h1 { font-size: 1.25rem; }
label { display: block; margin-top: 1rem; }
input, button { box-sizing: border-box; width: 100%; padding: 0.5rem; font: inherit; }
button { margin-top: 1.5rem; }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

export const LOGIN_HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  // With no-referrer, browsers would send the form with the Origin `null`.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

export interface LoginPage {
  /** The page to show afterwards, relative to the service's URL. */
  next: string;
  /** What the user typed before. */
  name?: string;
  /** Why the user was not logged in. */
  problem?: string;
}

export function loginPage({ next, name = '', problem }: LoginPage): string {
  const alert = problem === undefined ? '' : `<p role="alert">${escaped(problem)}</p>`;
  return document(
    `<style>${STYLE}</style>`,
    `
      <h1>Log in to Bigtrace</h1>
      ${alert}
      <form method="post" action="login">
        <input type="hidden" name="next" value="${escaped(next)}">
        <label for="name">Your name, which your queries show</label>
        <input id="name" name="name" autocomplete="username" required maxlength="100" value="${escaped(name)}">
        <label for="token">Token of the service</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required>
        <button>Log in</button>
      </form>`,
  );
}

/** A page that opens `url` at once. Browsers send the cookie then, as they do not after a link on another site. */
export function reloadPage(url: string): string {
  return document(`<meta http-equiv="refresh" content="0;url=${escaped(url)}">`, '');
}

function document(head: string, main: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="icon" href="data:,">
    <title>Log in to Bigtrace</title>
    ${head}
  </head>
  <body>
    <main>${main}
    </main>
  </body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
