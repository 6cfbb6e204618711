"""Threads for system calls that wait, see thread_pool.pxd."""

from libc.stddef cimport size_t
from libc.stdlib cimport calloc, free

from midiopt.sources.system import has

from midiopt.sources.portable cimport thread_waits

cdef enum:
    STACK_BYTES = 256 << 10
    SPARE_DESCRIPTORS = 128  # for the rest of the process; a thread has at most one file open

cdef bint counts_waits = has("RUSAGE_THREAD")

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_attr_t:
        pass
    int pthread_mutex_init(pthread_mutex_t *, void *)
    int pthread_mutex_lock(pthread_mutex_t *)
    int pthread_mutex_unlock(pthread_mutex_t *)
    int pthread_mutex_destroy(pthread_mutex_t *)
    int pthread_cond_init(pthread_cond_t *, void *)
    int pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *)
    int pthread_cond_signal(pthread_cond_t *)
    int pthread_cond_broadcast(pthread_cond_t *)
    int pthread_cond_destroy(pthread_cond_t *)
    int pthread_attr_init(pthread_attr_t *)
    int pthread_attr_setstacksize(pthread_attr_t *, size_t)
    int pthread_attr_destroy(pthread_attr_t *)
    int pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *) noexcept nogil, void *)
    int pthread_join(pthread_t, void **)

cdef extern from "<signal.h>" nogil:
    ctypedef struct sigset_t:
        pass
    int SIG_SETMASK
    int sigfillset(sigset_t *)
    int pthread_sigmask(int, const sigset_t *, sigset_t *)

cdef extern from "<sys/resource.h>" nogil:
    struct rlimit:
        long rlim_cur
    int RLIMIT_NOFILE
    int getrlimit(int, rlimit *)


cdef long wait_count() noexcept nogil:
    return thread_waits() if counts_waits else 0


cdef int affordable_threads() noexcept nogil:
    """How many threads may have a file open at once: half of the descriptors that the rest of the process does not need."""
    cdef rlimit limit
    if getrlimit(RLIMIT_NOFILE, &limit):
        return 0
    if limit.rlim_cur < 0 or limit.rlim_cur > 1 << 20:  # RLIM_INFINITY is the largest unsigned number
        return 1 << 19
    return max(0, <int>(limit.rlim_cur - SPARE_DESCRIPTORS) // 2)


cdef Pool *new_pool(int max_threads) noexcept nogil:
    cdef Pool *pool = <Pool *>calloc(1, sizeof(Pool))
    if pool == NULL:
        return NULL
    pool.max_threads = min(max_threads, affordable_threads())
    pool.threads = <pthread_t *>calloc(pool.max_threads + 1, sizeof(pthread_t))
    if pool.threads == NULL:
        free(pool)
        return NULL
    pthread_mutex_init(&pool.lock, NULL)
    pthread_cond_init(&pool.queued_one, NULL)
    pthread_cond_init(&pool.done_awaited, NULL)
    return pool


cdef void close_pool(Pool *pool) noexcept nogil:
    cdef int i
    if pool == NULL:
        return
    pthread_mutex_lock(&pool.lock)
    pool.closing = True
    pool.first = pool.last = NULL
    pthread_cond_broadcast(&pool.queued_one)
    pthread_mutex_unlock(&pool.lock)
    for i in range(pool.thread_count):
        pthread_join(pool.threads[i], NULL)
    pthread_cond_destroy(&pool.done_awaited)
    pthread_cond_destroy(&pool.queued_one)
    pthread_mutex_destroy(&pool.lock)
    free(pool.threads)
    free(pool)


cdef void unlink_job(Pool *pool, Job *job) noexcept nogil:
    """Take a job out of the queue. The caller holds the lock."""
    if job.before:
        job.before.after = job.after
    else:
        pool.first = job.after
    if job.after:
        job.after.before = job.before
    else:
        pool.last = job.before


cdef void *serve(void *argument) noexcept nogil:
    """A thread of the pool."""
    cdef Pool *pool = <Pool *>argument
    cdef Job *job
    pthread_mutex_lock(&pool.lock)
    pool.is_waking = False
    while True:
        while pool.first == NULL and not pool.closing:
            pool.idle_count += 1
            pthread_cond_wait(&pool.queued_one, &pool.lock)
            pool.idle_count -= 1
            pool.is_waking = False
        if pool.closing:
            break
        job = pool.first
        unlink_job(pool, job)
        job.state = RUNNING
        wake_another(pool)
        pthread_mutex_unlock(&pool.lock)
        job.work(job.argument)
        pthread_mutex_lock(&pool.lock)
        job.state = DONE
        if pool.awaited == job:
            pthread_cond_signal(&pool.done_awaited)
    pthread_mutex_unlock(&pool.lock)
    return NULL


cdef void start_thread(Pool *pool) noexcept nogil:
    """One more thread, which receives no signals; if the system starts none, the pool does with those it has."""
    cdef pthread_attr_t attributes
    cdef sigset_t every, before
    sigfillset(&every)
    pthread_sigmask(SIG_SETMASK, &every, &before)
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, STACK_BYTES)
    if pthread_create(&pool.threads[pool.thread_count], &attributes, serve, pool) == 0:
        pool.thread_count += 1
        pool.is_waking = True
    else:
        pool.max_threads = pool.thread_count
    pthread_attr_destroy(&attributes)
    pthread_sigmask(SIG_SETMASK, &before, NULL)


cdef void wake_another(Pool *pool) noexcept nogil:
    """If jobs are queued, let one more thread look for them, unless one is on its way. The caller holds the lock.

    Each thread wakes the next one, so as many run as can begin a job before the others have done them all. Waking a thread per
    job cost twice as much as reading a small file from the page cache.
    """
    if pool.first == NULL or pool.is_waking:
        return
    if pool.idle_count:
        pool.is_waking = True
        pthread_cond_signal(&pool.queued_one)
    elif pool.thread_count < pool.max_threads:
        start_thread(pool)


cdef void submit(Pool *pool, Job *job) noexcept nogil:
    pthread_mutex_lock(&pool.lock)
    job.state = QUEUED
    job.before = pool.last
    job.after = NULL
    if pool.last:
        pool.last.after = job
    else:
        pool.first = job
    pool.last = job
    wake_another(pool)
    pthread_mutex_unlock(&pool.lock)


cdef void finish(Pool *pool, Job *job) noexcept nogil:
    pthread_mutex_lock(&pool.lock)
    if job.state == QUEUED:
        unlink_job(pool, job)
        pthread_mutex_unlock(&pool.lock)
        job.work(job.argument)
        job.state = DONE
        return
    pool.awaited = job
    while job.state == RUNNING:
        pthread_cond_wait(&pool.done_awaited, &pool.lock)
    pool.awaited = NULL
    pthread_mutex_unlock(&pool.lock)


cdef void cancel(Pool *pool, Job *job) noexcept nogil:
    pthread_mutex_lock(&pool.lock)
    if job.state == QUEUED:
        unlink_job(pool, job)
        job.state = NOT_QUEUED
    pthread_mutex_unlock(&pool.lock)
    finish(pool, job)


cdef bint is_done(Pool *pool, const Job *job) noexcept nogil:
    cdef bint done
    pthread_mutex_lock(&pool.lock)
    done = job.state == DONE
    pthread_mutex_unlock(&pool.lock)
    return done


cdef class ThreadPool:
    """Owns a pool of at most ``max_threads`` threads."""

    def __cinit__(self, int max_threads):
        self.pool = new_pool(max_threads)
        if self.pool == NULL:
            raise MemoryError

    def __dealloc__(self):
        close_pool(self.pool)
