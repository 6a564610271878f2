export default function LeadDrawer(_: { id: string }) {
  return null;
}
