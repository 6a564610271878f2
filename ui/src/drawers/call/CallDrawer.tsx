export default function CallDrawer(_: { id: string }) {
  return null;
}
