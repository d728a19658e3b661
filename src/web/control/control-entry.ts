export { startControl } from './control-page.tsx';
