"""Measures the period of crops: methods, files, results, overlays."""

# Methods by name: those with weights, a network combined with autocorrelation and a network alone;
# and those without.
COMBINED, NETWORK = WITH_NETWORK = ("combined", "network")
FFT, AUTOCORRELATION = "fft", "autocorrelation"
METHODS = (*WITH_NETWORK, FFT, AUTOCORRELATION)

BATCH_SIZE = 8
