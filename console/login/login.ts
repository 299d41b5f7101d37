/** Sends users without a login to the login page, and shows those with one a button to log out. */
import { api, UNAUTHENTICATED } from '../api.ts';
import { byId, element } from '../dom.ts';

/** The URL of the login page, which leads back to this page. */
function loginUrl(): string {
  const { pathname, search, hash } = location;
  const page = `${pathname.split('/').at(-1) ?? ''}${search}${hash}`;
  return `login?next=${encodeURIComponent(page)}`;
}

/** From now on, a call that the service refuses for want of a login leads to the login page. */
export function requireLogin(): void {
  addEventListener(UNAUTHENTICATED, () => location.assign(loginUrl()), { once: true });
}

/** Adds the name of the login, and a button to end it, to the navigation with this ID. */
export async function showLogin(navigation: string): Promise<void> {
  const { user, isLogin } = await api.caller();
  if (!isLogin) return;
  const name = user.slice(user.indexOf(':') + 1);
  const button = element('button', { type: 'button', id: 'log-out' }, `Log out ${name}`);
  button.addEventListener('click', () => void api.logOut().then(() => location.assign(loginUrl())));
  byId(navigation, HTMLElement).append(button);
}
