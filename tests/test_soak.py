"""
Cancelled calls leave nothing behind. `SOAK_CALLS=10000` makes the full number, which takes 20 seconds or more.
"""

import asyncio
import os
import random
from pathlib import Path

from enrichment.clock import Clock
from enrichment.sources.guard import Dns
from enrichment.sources.http import MAX_CONNECTIONS, MAX_IDLE_CONNECTIONS, Client, Transport
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream
from tests.test_guard import PUBLIC, Resolver, Wire
from tests.upstreams import Reply, live_client, stub_upstream

CALLS = int(os.environ.get("SOAK_CALLS", "1000"))
AT_ONCE = 2 * MAX_CONNECTIONS


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def connections(client: Client) -> list[int]:
    """How many connections each pool has, and how many requests hold or wait for one."""
    pools = [transport._pool for transport in (client._open, client._guarded) if isinstance(transport, Transport)]
    return [number for pool in pools for number in (len(pool.connections), len(pool._requests))]


async def test_cancelled_calls_leave_no_connection_no_task_and_no_descriptor() -> None:
    """9 of 10 are cancelled, at any moment: in the queue, in the lookup, in the pool, in the headers, in the body."""
    generator = random.Random(9)  # noqa: S311 - no secret
    cancelled = 0

    async def call(upstream: Upstream, url: str) -> None:
        await client.fetch(upstream, HttpRequest(url=url), HttpResponse.raise_for_status)

    before, tasks_before = descriptors(), asyncio.all_tasks()
    async with stub_upstream(lambda _: Reply(b"x" * 200_000)) as stub:
        stub.delay = lambda: generator.uniform(0, 0.004)
        dns, wire = Dns(Clock(), Resolver(company_com=(PUBLIC,))), Wire(stub)
        async with live_client(Clock(), dns=dns, sockets=wire) as client:
            wire_url = stub.url.replace("127.0.0.1", "vendor.lan")
            dns._cache["vendor.lan"] = (float("inf"), ("10.0.0.7",))
            services = [
                (Upstream(name="fast", trusted_origins=(wire_url,), requests_per_second=1e9), wire_url),
                (Upstream(name="paced", trusted_origins=(wire_url,), requests_per_second=2_000), wire_url),
                (Upstream(name="homepage", per_host=True, requests_per_second=1e9), "http://company.com/"),
            ]
            while cancelled < CALLS:
                tasks = [asyncio.create_task(call(*generator.choice(services))) for _ in range(AT_ONCE)]
                await asyncio.sleep(generator.uniform(0, 0.03))
                chosen = [task for task in tasks if generator.random() < 0.9 and not task.done()]
                for task in chosen:
                    task.cancel()
                    if generator.random() < 0.1:
                        await asyncio.sleep(0)
                await asyncio.gather(*tasks, return_exceptions=True)
                cancelled += sum(task.cancelled() for task in tasks)
            held = connections(client)
            async with asyncio.timeout(30):
                await asyncio.gather(*(call(*service) for service in services for _ in range(100)))
            turns = [gate._turns for gate in client._gates.values()]
            stub_tasks = {task for task in asyncio.all_tasks() if "StubUpstream" in repr(task.get_coro())}

            assert max(held[0], held[2]) <= MAX_IDLE_CONNECTIONS
            assert (held[1], held[3]) == (0, 0)
            assert not any(turn._waiting or turn._task for turn in turns)
            assert asyncio.all_tasks() - stub_tasks == tasks_before
    await asyncio.sleep(0.01)  # asyncio closes sockets in the next turn of the loop

    assert cancelled >= CALLS
    assert descriptors() == before
    assert asyncio.all_tasks() == tasks_before
