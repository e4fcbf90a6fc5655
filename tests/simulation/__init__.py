"""
The engine under random schedules, on an event loop whose clock jumps to the next timer.

A schedule is all that follows from one seed: a few settings; clients that submit, cancel and retry jobs, close the
engine and open it again; and sources that answer, fail, hang, or break the rules of asyncio. `World` checks what has to
hold at every moment, and that nothing is left at the end.
"""
