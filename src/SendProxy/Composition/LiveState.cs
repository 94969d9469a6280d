using SendProxy.Configuration;
using SendProxy.Egress;
using SendProxy.FanOut;
using SendProxy.Outbox.Messages;
using SendProxy.Receiving;

namespace SendProxy.Composition;

/// <summary>The snapshots that requests and workers read, one of each room; each is swapped whole at a reload.</summary>
internal sealed record LiveState(Live<EgressState> Egress, Live<OutboxRoutes> Outbox, Live<ReceivingState> Receiving, Live<FanOutState> FanOut);
