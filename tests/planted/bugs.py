"""
The bugs, each as an edit of one file.
"""

from typing import Final, NamedTuple


class Bug(NamedTuple):
    """In `path`, the text `before` becomes `after`. It has to occur once."""

    name: str
    path: str
    before: str
    after: str


SCHEDULER: Final = "enrichment/jobs/scheduler.py"
DISPATCHER: Final = "enrichment/jobs/dispatcher.py"
STORE: Final = "enrichment/jobs/memory.py"
INDEX: Final = "enrichment/jobs/index.py"
ARCHIVE: Final = "enrichment/jobs/archive.py"
RESOLVER: Final = "enrichment/jobs/resolver.py"
CACHE: Final = "enrichment/jobs/cache.py"
PIPELINE: Final = "enrichment/jobs/pipeline.py"
RUNNER: Final = "enrichment/jobs/runner.py"
BUDGET: Final = "enrichment/jobs/budget.py"
MANAGER: Final = "enrichment/jobs/manager.py"
MODEL: Final = "enrichment/jobs/model.py"
SOURCES: Final = "enrichment/sources/__init__.py"
COSTS: Final = "enrichment/sources/costs.py"
ACCOUNTS: Final = "enrichment/jobs/accounts.py"
PLANNING: Final = "enrichment/jobs/planning.py"
AUTH: Final = "enrichment/web/auth.py"

BUGS: Final = (
    Bug(
        "a place in a batch is handed on only by a job that ran",
        SCHEDULER,
        """\
        self._running.discard(job_id)
        self._waiting.pop(job_id, None)
""",
        """\
        if job_id not in self._running and job_id in self._waiting:
            del self._waiting[job_id]
            return
        self._running.discard(job_id)
        self._waiting.pop(job_id, None)
""",
    ),
    Bug(
        "one job too many runs",
        SCHEDULER,
        "len(self._running) < self._max_running",
        "len(self._running) <= self._max_running",
    ),
    Bug(
        "one job too many of a batch runs",
        SCHEDULER,
        "len(group.admitted) >= group.concurrency",
        "len(group.admitted) > group.concurrency",
    ),
    Bug("the place of a job is never free", SCHEDULER, "        self._running.discard(job_id)\n", ""),
    Bug("a job that is cancelled while it waits runs", SCHEDULER, "        self._waiting.pop(job_id, None)\n", ""),
    Bug("the last job of a batch comes first", SCHEDULER, "popitem(last=False)", "popitem()"),
    Bug(
        "batches are kept for ever",
        SCHEDULER,
        "        if not group.admitted:\n            del self._groups[batch_id]\n",
        "",
    ),
    Bug("urgent jobs run last", SCHEDULER, "job.created_at - PRIORITY", "job.created_at + PRIORITY"),
    Bug(
        "the place of a cancelled job is free before its task is over",
        DISPATCHER,
        "            task.cancel()  #",
        "            task.cancel()\n            self._scheduler.release(job_id)\n            self._start_next()  #",
    ),
    Bug("calls go on after a cancel", DISPATCHER, "            self._resolver.abandon(job_id)\n", "            pass\n"),
    Bug(
        "queued jobs are not cancelled when the engine is left",
        DISPATCHER,
        "in self._store.unfinished():",
        "in list(self._tasks):",
    ),
    Bug(
        "the engine is left before the tasks are over",
        DISPATCHER,
        "await asyncio.wait(self._tasks.values(), timeout=MAX_STOP_SECONDS)",
        "await asyncio.sleep(0)",
    ),
    Bug(
        "a source can hold up the shutdown",
        DISPATCHER,
        "self._tasks.values(), timeout=MAX_STOP_SECONDS",
        "self._tasks.values()",
    ),
    Bug(
        "a job that is cancelled before it is dispatched is queued",
        DISPATCHER,
        "if not self._store.is_unfinished(job.id):",
        "if False:",
    ),
    Bug("a job ends twice", STORE, "if job is None or not _may_change(job, run):", "if job is None:"),
    Bug(
        "a module is recorded after the end of its job",
        STORE,
        "Enrichment) or not _may_change(job, run):",
        "Enrichment):",
    ),
    Bug("a module is recorded twice", STORE, "if job.step(step.module_id).ended_at is not None:", "if False:"),
    Bug(
        "a cancelled job begins", STORE, "isinstance(job, Enrichment) or job.is_finished", "isinstance(job, Enrichment)"
    ),
    Bug("the bytes of forgotten jobs still count", STORE, "            self._finished_bytes -= _size(job)\n", ""),
    Bug(
        "skipped entries count for ever",
        STORE,
        "                self._pending_skipped -= held.skipped + held.forgotten\n",
        "",
    ),
    Bug("a batch is kept for ever", STORE, "                del self._batches[held.batch.id]\n", ""),
    Bug("one job too few is held", STORE, "entries > self._max_pending", "entries >= self._max_pending"),
    Bug(
        "an expired job can be read",
        STORE,
        "return job.finished_at is not None and",
        "return False and job.finished_at is not None and",
    ),
    Bug("a state's jobs are out of order", INDEX, "ids.insert(self._position(ids, job), job.id)", "ids.append(job.id)"),
    Bug("a domain keeps forgotten jobs", INDEX, "        self._remove(ids, job)\n", ""),
    Bug(
        "a cancelled module seems to run",
        ARCHIVE,
        "if step.ended_at is None:",
        "if step.ended_at is None and step.started_at is None:",
    ),
    Bug(
        "a call is taken from those who still wait",
        RESOLVER,
        "if not shared.askers and not shared.task.done():",
        "if not shared.task.done():",
    ),
    Bug(
        "a stopped call is joined",
        RESOLVER,
        "            shared.task.cancel()\n            self._forget(key, shared)\n",
        "            shared.task.cancel()\n",
    ),
    Bug("each asker makes a call", RESOLVER, "if shared is None:", "if True:"),
    Bug(
        "those whose call was cancelled seem to be",
        RESOLVER,
        "if shared.task.cancelled() and asker in shared.askers:",
        "if False:",
    ),
    Bug(
        "a derived answer is used for other findings",
        RESOLVER,
        "return finding if finding.based_on == based_on(subject) else None",
        "return finding",
    ),
    Bug(
        "no answer is cached",
        RESOLVER,
        "        await self._cache.put(subject.domain, cache_key(module, subject.profile), finding)\n",
        "",
    ),
    Bug("the bytes of a replaced finding still count", CACHE, " - (_size(before) if before else 0)", ""),
    Bug("an expired finding is used", CACHE, "if left > 0 or (", "if left or ("),
    Bug("a forced job reads the cache", MODEL, "-math.inf if self.force else ", ""),
    Bug(
        "a call begins though its job is finished",
        PIPELINE,
        "if not await self._record(run, begun):",
        "if not await self._record(run, begun) and run.job.is_finished:",
    ),
    Bug(
        "a deadline leaves modules unfinished",
        PIPELINE,
        "            for module_id in run.done:\n",
        "            for module_id in ():\n",
    ),
    Bug(
        "those that need a failed module wait for ever",
        PIPELINE,
        "        finally:\n            run.done[module.id].set()\n",
        "        else:\n            run.done[module.id].set()\n",
    ),
    Bug("modules do not wait for those they need", PIPELINE, "MODULES[need].wave == module.wave", "False"),
    Bug("a job without any result is completed", RUNNER, "if any(step.finding for step in steps):", "if steps:"),
    Bug(
        "a job with a failed module has failed",
        RUNNER,
        "if any(step.finding for step in steps):",
        "if all(step.finding for step in steps):",
    ),
    Bug(
        "a job that is cancelled from outside has no end",
        RUNNER,
        "isinstance(error, asyncio.CancelledError) and not self._resumes",
        "isinstance(error, TimeoutError)",
    ),
    Bug(
        "a piece of work that waits is forgotten",
        BUDGET,
        "                future.set_result(None)\n",
        "                if self._passed != 5:\n                    future.set_result(None)\n",
    ),
    Bug(
        "pieces of work stop when one is cancelled",
        BUDGET,
        "if not future.done():  #",
        "if future.done():\n                break\n            else:  #",
    ),
    Bug(
        "the work of sources is not spread",
        RESOLVER,
        "self.budget.pace(first_success(self._sources, module, subject, self._clock, said))",
        "first_success(self._sources, module, subject, self._clock, said)",
    ),
    Bug(
        "a paced call goes on when it is cancelled",
        BUDGET,
        "resume = functools.partial(work.throw, error)",
        "resume = functools.partial(work.send, None)",
    ),
    Bug(
        "entries whose jobs are forgotten do not count",
        STORE,
        "                held.forgotten += 1\n                self._pending_skipped += 1\n",
        "                held.forgotten += 0\n",
    ),
    Bug("a forgotten job stays decompressed", STORE, "                self._decompressed.pop(job.id, None)\n", ""),
    Bug("the errors of sources do not count", CACHE, "ATTEMPT_BYTES + getsizeof(each.error)", "ATTEMPT_BYTES"),
    Bug("the other job of a domain is cancelled", MANAGER, "        if job_id:\n", "        if False:\n"),
    Bug(
        "a retry runs what was completed",
        MANAGER,
        "if not failed_only or step.state is StepState.FAILED",
        "if not failed_only or step.state is not StepState.SKIPPED",
    ),
    Bug(
        "a source's exit ends the process",
        SOURCES,
        "isinstance(error, (KeyboardInterrupt, GeneratorExit, DatabaseUnavailable))",
        "not isinstance(error, Exception)",
    ),
    Bug(
        "a source's CancelledError cancels the job",
        SOURCES,
        "        return is_being_cancelled()\n    return isinstance",
        "        return True\n    return isinstance",
    ),
    Bug("the next source is asked after a cancel", SOURCES, "if is_being_cancelled():  #", "if False:  #"),
    Bug(
        "a failed source ends the chain",
        SOURCES,
        "            raise asyncio.CancelledError\n    reason = ",
        "            raise asyncio.CancelledError\n        break\n    reason = ",
    ),
    Bug(
        "only the first byte of tokens' digests is compared",
        AUTH,
        "hmac.compare_digest(digest, accepted)",
        "hmac.compare_digest(digest[:1], accepted[:1])",
    ),
    Bug(
        "the last byte of tokens' digests is not compared",
        AUTH,
        "hmac.compare_digest(digest, accepted)",
        "hmac.compare_digest(digest[:-1], accepted[:-1])",
    ),
    Bug(
        "jobs spend as much as they like",
        STORE,
        "fits(amount, job.charges, job.terms.max_cost)",
        "True",
    ),
    Bug(
        "each job of a batch spends its limit",
        STORE,
        "fits(amount, held.charges, held.batch.max_cost)",
        "True",
    ),
    Bug(
        "what forgotten jobs have spent can be spent again",
        STORE,
        "                held.forgotten += 1\n",
        "                held.forgotten += 1\n                held.charges = ()\n",
    ),
    Bug(
        "a finished job is not charged",
        STORE,
        "if not isinstance(job, Enrichment):\n                return False\n            held",
        "if not isinstance(job, Enrichment) or job.is_finished:\n                return False\n            held",
    ),
    Bug(
        "a call is charged after it was sent",
        COSTS,
        "                if charge.calls:\n",
        "                if False:\n",
    ),
    Bug(
        "what is not billed stays charged",
        COSTS,
        "                    await account.charge((correction,))\n",
        "                    pass\n",
    ),
    Bug("free calls are not charged", COSTS, "            await account.charge(charges)\n", "            pass\n"),
    Bug(
        "only the first job is asked to pay",
        COSTS,
        "                refusal = refusal or error\n",
        "                raise\n",
    ),
    Bug(
        "who joins late shares the refusal",
        RESOLVER,
        "                if asker in shared.asked_to_pay:\n                    raise",
        "                if True:\n                    raise",
    ),
    Bug("calls of unknown cost are made", ACCOUNTS, "more.unknown_amounts > 0", "more.unknown_amounts > 1"),
    Bug("a job goes on after its limit", ACCOUNTS, "self.stopped_because = self.stopped_because or reason", "pass"),
    Bug("answers of any age are used", RESOLVER, "return now - fetched_at <= max_age", "return True"),
    Bug(
        "a plan uses answers of any age",
        PLANNING,
        "is_within(held.fetched_at, self._options.terms.age_allowed(module.id), now)",
        "True",
    ),
    Bug(
        "it is forgotten who does not know a company",
        RESOLVER,
        " if finding is None else set()",
        " if False else set()",
    ),
    Bug(
        "an old statement that a company is unknown is used",
        RESOLVER,
        "key in held and is_within(held[key].fetched_at, max_age, now)",
        "key in held",
    ),
    Bug("a forced job joins the call of another one", RESOLVER, "(based_on(subject), *unknown)", "based_on(subject)"),
    Bug(
        "that nobody knows a company is newer than who said so first",
        SOURCES,
        "min(oldest, clock.now())",
        "clock.now()",
    ),
    Bug("what one source does not know is shown as an answer", CACHE, "elif not is_source_key(key)", "else"),
    Bug(
        "a plan asks who does not know the company",
        PLANNING,
        "held and self._is_usable(module, held, now)",
        "False",
    ),
    Bug("a plan counts a shared request twice", PLANNING, "if (self.name, request) not in done", "if True"),
    Bug(
        "a plan does not stop",
        PLANNING,
        "            elif planned is None and stopped:" if False else "            if planned is None and stopped:",
        "            if planned is None and False:",
    ),
    Bug(
        "only the first token is accepted", AUTH, "for accepted in self._digests)", "for accepted in self._digests[:1])"
    ),
)
