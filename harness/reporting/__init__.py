"""What a run is told as: certificate, JUnit, Allure, a site to read, a summary in the terminal."""
