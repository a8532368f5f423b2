/* A library that is there when a plugin is linked, and not when it is loaded. */
int gone(void);

__attribute__((visibility("default"))) int
gone(void)
{
    return 0;
}
