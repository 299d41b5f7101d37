/** Colour theme: light, dark, or that of the operating system. */
import { byId } from './dom.ts';

const THEMES = ['auto', 'light', 'dark'] as const;
const KEY = 'bigtrace-theme';

export function startTheme(): void {
  const button = byId('theme', HTMLButtonElement);
  const stored = localStorage.getItem(KEY);
  let theme = THEMES.find((one) => one === stored) ?? 'auto';
  const show = (): void => {
    document.documentElement.dataset['theme'] = theme;
    button.textContent = { auto: '◐', light: '☀', dark: '☾' }[theme];
    button.setAttribute('aria-label', `Colours: ${theme}`);
    button.title = `Colours: ${theme}`;
  };
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
    localStorage.setItem(KEY, theme);
    show();
  });
  show();
}
