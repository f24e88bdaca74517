"""Routes in virtual time, before anyone rolls them out."""
