# Threads for system calls that wait: opening, reading and listing files. They never touch Python, and need no GIL.
#
# A job is queued by submit() and completed by finish(), both called by the thread that owns the pool. A thread is
# started when jobs are queued and none is idle. A job that no thread has begun is done by finish() itself, so a pool
# that can start no thread still works.

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_mutex_t:
        pass
    ctypedef struct pthread_cond_t:
        pass
    ctypedef struct pthread_t:
        pass

ctypedef void (*Work)(void *argument) noexcept nogil

cdef enum JobState:
    NOT_QUEUED
    QUEUED
    RUNNING
    DONE

# Zeroed and given its work, a job is ready for submit(). It must live until finish() or cancel().
cdef struct Job:
    Work work
    void *argument
    JobState state
    Job *before  # in the queue
    Job *after

cdef struct Pool:
    pthread_mutex_t lock  # of everything here, and of the states of the jobs
    pthread_cond_t queued_one
    pthread_cond_t done_awaited
    Job *first
    Job *last
    const Job *awaited  # by finish()
    pthread_t *threads
    int thread_count
    int max_threads
    int idle_count
    bint is_waking  # a thread that will look for a job
    bint closing

cdef Pool *new_pool(int max_threads) noexcept nogil  # NULL when there is no memory
cdef void close_pool(Pool *pool) noexcept nogil  # waits for the jobs that are running; drops those that are queued
cdef void submit(Pool *pool, Job *job) noexcept nogil
cdef void finish(Pool *pool, Job *job) noexcept nogil
cdef void cancel(Pool *pool, Job *job) noexcept nogil  # waits for the job if it is running
cdef bint is_done(Pool *pool, const Job *job) noexcept nogil

# How often the calling thread has waited so far: for a disk or a server, but not for a core that others use.
cdef long wait_count() noexcept nogil


cdef class ThreadPool:
    cdef Pool *pool
