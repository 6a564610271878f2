import { lazy, Suspense } from "react";
import { useMatch, useSearchParams } from "react-router";

// A drawer lies over any page; its code comes when one is opened.
const CallDrawer = lazy(() => import("./call/CallDrawer"));
const LeadDrawer = lazy(() => import("./lead/LeadDrawer"));
const DecisionDrawer = lazy(() => import("./decision/DecisionDrawer"));
const CallerIdDrawer = lazy(() => import("./caller-id/CallerIdDrawer"));
const AbandonDrawer = lazy(() => import("./abandon/AbandonDrawer"));
const AgentDrawer = lazy(() => import("./agent/AgentDrawer"));

/** The drawers that the address names. A lead opened from a call lies over it. */
export function Drawers() {
  const [search] = useSearchParams();
  const [call, lead, agent] = [search.get("call"), search.get("lead"), search.get("agent")];
  const decision = search.get("decision");
  const abandon = search.get("abandon");
  const callerId = search.get("caller-id");
  // A decision, or abandoned calls, are of the campaign whose page is open.
  const campaign = useMatch("/campaigns/:name/*")?.params.name;
  return (
    <Suspense fallback={null}>
      {decision === null || campaign === undefined ? null : <DecisionDrawer key={decision} campaign={campaign} id={decision} />}
      {abandon === null || campaign === undefined ? null : <AbandonDrawer name={campaign} asked={abandon} />}
      {callerId === null ? null : <CallerIdDrawer key={callerId} number={callerId} />}
      {call === null ? null : <CallDrawer id={call} />}
      {agent === null ? null : <AgentDrawer key={agent} number={agent} />}
      {lead === null ? null : <LeadDrawer key={lead} id={lead} />}
    </Suspense>
  );
}
